m31r log LOUD backup copied
