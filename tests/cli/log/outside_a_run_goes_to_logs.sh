m31r log INFO backup copied file=model.bin bytes=1048576 ok=true ratio=0.5 id=007 nan=NaN &&
    sed 's/"ts":"[^"]*"/"ts":"T"/' logs/shell.log
