m31r --version
