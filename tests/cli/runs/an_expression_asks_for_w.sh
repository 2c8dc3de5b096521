m31r runs 'state=="failed"' --text
