m31r logs --by module
