import { FixedClock } from '../../test/support/fixed-clock.js';
import { MemoryPresenceStore } from './memory-presence.store.js';
import { presenceStoreContract } from './presence.store.contract.js';

describe('MemoryPresenceStore', () => {
  presenceStoreContract(() => new MemoryPresenceStore('node', new FixedClock()));
});
