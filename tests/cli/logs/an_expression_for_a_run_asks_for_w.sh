m31r logs 'level>=ERROR'
