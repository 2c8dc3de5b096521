m31r logs --around 5 --follow
