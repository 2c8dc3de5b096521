m31r completion csh
