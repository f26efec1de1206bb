import { Injectable } from '@nestjs/common';
import { Minutely } from '../clock/minutely.js';
import { PresenceSubscriptionsService } from './presence-subscriptions.service.js';

/** Removes expired subscriptions. Until then they have no effect. */
@Injectable()
export class SubscriptionsSweep extends Minutely {
  constructor(private readonly subscriptions: PresenceSubscriptionsService) {
    super('Presence', 'remove expired subscriptions');
  }

  protected work(mayGoOn: () => boolean): Promise<unknown> {
    return this.subscriptions.pruneExpired(mayGoOn);
  }
}
