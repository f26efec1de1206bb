import { parseStrictJson } from '../decoding/strict-json.js';
import type { KickReason } from '../presence/session.js';

/** Frames that the server sends, as docs/gateway.md describes them. */
export type ServerFrame =
  | {
      readonly type: 'ready';
      readonly session: string;
      /** `{platform}_{device}` */
      readonly resource: string;
      readonly username: string;
      /** How many offline messages will follow. */
      readonly offline: number;
    }
  | {
      readonly type: 'kicked';
      readonly reason: KickReason;
      /** With `banned`: when the ban ends, in Unix milliseconds; absent if it does not. */
      readonly until?: number;
      /** With `shutdown`: when to reconnect, randomized so that clients do not all do so at once. */
      readonly retry_after_ms?: number;
    }
  | {
      readonly type: 'error';
      readonly code: string;
      readonly message: string;
      /** With `user_banned`: when the ban ends, in Unix milliseconds; absent if it does not. */
      readonly until?: number;
      /** When to retry. */
      readonly retry_after_ms?: number;
    }
  | {
      readonly type: 'presence';
      readonly username: string;
      readonly status: Readonly<Record<string, string>>;
      readonly ext: string;
      /** Unix seconds */
      readonly last_time: number;
    }
  | { readonly type: 'pong' };

/** A frame from a client: its type, and unchecked members. */
export interface ClientFrame {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** Parses a frame, or returns null when it is not one; as strict as the bodies of the REST API. */
export function readFrame(text: string): ClientFrame | null {
  try {
    const frame = parseStrictJson(text) as ClientFrame | null;
    return typeof frame === 'object' && !Array.isArray(frame) && typeof frame?.type === 'string' ? frame : null;
  } catch {
    return null;
  }
}

/** What a client says about its device when it logs in. */
export interface DeviceDescription {
  readonly platform: string;
  /** Null: the client does not name its device, so each of its sessions is a separate device. */
  readonly device: string | null;
  readonly deviceName: string | null;
}

const defaultPlatform = 'web';
const legalPlatform = /^[a-z0-9]{1,16}$/;
/** Device names appear in route paths. */
const legalDevice = /^[A-Za-z0-9._~:-]{1,64}$/;
const maxDeviceNameLength = 100;

/** Checks `platform`, `device` and `device_name`. @returns a sentence saying what is wrong when it is a string */
export function readDevice(members: { readonly [member: string]: unknown }): DeviceDescription | string {
  const { platform = defaultPlatform, device = null, device_name: deviceName = null } = members;
  const platformName = typeof platform === 'string' ? platform.toLowerCase() : '';
  if (!legalPlatform.test(platformName)) return 'platform must be 1 to 16 letters or digits';
  if (device !== null && (typeof device !== 'string' || !legalDevice.test(device)))
    return 'device must be 1 to 64 of A-Z a-z 0-9 . _ ~ : -';
  if (
    deviceName !== null &&
    (typeof deviceName !== 'string' || deviceName.length > maxDeviceNameLength || !deviceName.isWellFormed())
  )
    return `device_name must be a string of up to ${maxDeviceNameLength} characters`;
  return { platform: platformName, device, deviceName };
}

/** Errors specific to the gateway, in addition to those of `errors/error-codes.ts`. */
export const gatewayErrors = {
  frame_malformed: 'a frame is a JSON object in a text message, with a string `type`',
  frame_unknown: 'there is no frame of this type for clients',
  login_required: 'the first frame must be `login`',
  login_repeated: 'this connection is logged in already',
  login_timeout: 'no `login` came in time',
  argument_invalid: 'a member of the frame is missing or wrong',
  origin_refused: 'pages of this origin may not connect',
  too_many_frames: 'too many frames in a second',
  too_many_pending: 'too many connections from this address have not logged in',
  too_many_sessions: 'the app has as many connections to this node as it may',
  stopping: 'this node is going away; connect again, to another one',
} as const;

/** Texts for the product's errors that a gateway client can encounter. */
const productErrors: Readonly<Record<string, string>> = {
  app_not_found: 'there is no such app',
  app_disabled: 'the app is switched off',
  route_not_found: 'there is no such path; the gateway is at /{org}/{app}/ws',
  token_missing: 'a token is required',
  token_malformed: 'the token cannot be read, or its signature is not ours',
  token_expired: 'the token has expired',
  token_not_accepted: 'the token is for another app or another kind of caller, or was revoked',
  user_banned: 'the user is banned',
  message_too_large: 'body and ext are larger than 16 KiB together',
  sender_blocked: 'the receiver has blocked the sender',
  user_muted: 'the user of this session is muted',
  rate_limited: 'more messages than the sender or the app may send in a second',
  database_unavailable: 'the service is busy, please try again later',
  overloaded: 'the service is busy, please try again later',
};

export function messageOf(code: string): string {
  return (gatewayErrors as Record<string, string>)[code] ?? productErrors[code] ?? 'internal error';
}
