m31r runs -w 'stat=="failed"' --text
