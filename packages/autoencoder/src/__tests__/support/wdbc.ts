import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
