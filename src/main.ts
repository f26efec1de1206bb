import { StopSignal } from './stop-signal.js';

// Before the modules of the service are loaded, which takes up most of a start.
const stopSignal = new StopSignal();
const { runService } = await import('./service.js');
await runService(stopSignal);
