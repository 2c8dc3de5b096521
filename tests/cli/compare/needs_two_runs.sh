m31r compare @ --text
