import { Injectable } from '@nestjs/common';
import { Minutely } from '../clock/minutely.js';
import { OfflineMessagesService } from './offline-messages.service.js';

/** Removes expired messages. */
@Injectable()
export class Expiry extends Minutely {
  constructor(private readonly offlineMessages: OfflineMessagesService) {
    super('Expiry', 'remove expired messages');
  }

  protected work(mayGoOn: () => boolean): Promise<unknown> {
    return this.offlineMessages.expireDue(mayGoOn);
  }
}
