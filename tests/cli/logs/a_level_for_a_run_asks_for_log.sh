m31r logs INFO
