m31r logs --levle INFO
