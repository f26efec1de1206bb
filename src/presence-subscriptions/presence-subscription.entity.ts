import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A user's subscription to the presence of another. Changes only while the target's state is locked. */
@Entity('presence_subscriptions', { withoutRowid: true })
@Index('presence_subscriptions_by_target', ['app_id', 'target_uuid', 'subscriber_uuid'])
@Index('presence_subscriptions_by_expiry', ['app_id', 'expires_at'])
export class PresenceSubscriptionRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  subscriber_uuid!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  target_uuid!: string;

  /** Unix milliseconds. */
  @Column({ type: 'bigint' })
  expires_at!: number;
}
