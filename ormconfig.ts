/** The data source for tools that look for one here, such as editors and schema viewers. The service does not. */
import { DataSource } from 'typeorm';
import { loadEnv } from './src/config/env.js';
import { dataSourceOptions } from './src/data-source.js';

export default new DataSource(dataSourceOptions(loadEnv()));
