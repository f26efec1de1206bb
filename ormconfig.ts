/** For the TypeORM command line: `npx typeorm migration:show -d dist/…` style tools read the data source from here. */
import { DataSource } from 'typeorm';
import { loadEnv } from './src/config/env.js';
import { dataSourceOptions } from './src/database/data-source-options.js';

export default new DataSource(dataSourceOptions(loadEnv()));
