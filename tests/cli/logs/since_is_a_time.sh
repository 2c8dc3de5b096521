m31r logs --since soon
