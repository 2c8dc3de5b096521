m31r diff @ --text
