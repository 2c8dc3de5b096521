printf 'loss,step_ms\n3,100\n3,fast\n' | m31r anomalies --csv - --rows
