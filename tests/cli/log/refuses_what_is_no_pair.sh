m31r log INFO backup copied novalue
