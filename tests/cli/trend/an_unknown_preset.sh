m31r trend --series - --preset best < /dev/null
