import request from 'supertest';
import { type QiscusService, startQiscus } from './qiscus-service.js';

let service: QiscusService;

beforeAll(async () => {
  service = await startQiscus();
});
afterAll(() => service.stop());

const second = 'must be YYYY-MM-DD hh:mm:ss';
const wrongDetails = { password: {}, avatar_url: {}, extras: 'text' };
const wrongDetailsMessages = ['password must be text', 'avatar_url must be text', 'extras must be a JSON object'];

/** Each route with several parameters that can be missing or invalid. */
test.each<[string, object, string[]]>([
  ['POST /api/v2.1/rest/login_or_register', {}, ['user_id is required', 'username is required']],
  [
    'POST /api/v2.1/rest/login_or_register',
    wrongDetails,
    ['user_id is required', 'username is required', ...wrongDetailsMessages],
  ],
  ['POST /api/v2/sdk/login_or_register', {}, ['email is required', 'password is required']],
  ['POST /api/v2/sdk/login_or_register', wrongDetails, ['email is required', ...wrongDetailsMessages]],
  ['POST /api/v2/sdk/refresh_user_token', {}, ['user_id is required', 'refresh_token is required']],
  ['POST /api/v2/rest/login_or_register', {}, ['email is required', 'username is required']],
  [
    'POST /api/v2/rest/login_or_register',
    wrongDetails,
    ['email is required', 'username is required', ...wrongDetailsMessages],
  ],
  [
    'GET /api/v2.1/rest/get_unread_count',
    { room_channel_ids: [{}], room_ids: [[]] },
    ['user_id is required', 'room_ids must be a list of texts', 'room_channel_ids must be a list of texts'],
  ],
  [
    'GET /api/v2.1/rest/get_unread_users',
    { end_time: 'now', start_time: 'now' },
    [`start_time ${second}`, `end_time ${second}`],
  ],
  [
    'GET /api/v2.1/rest/get_user_unread_count',
    { end_time: 'now', start_time: 'now' },
    ['user_ids is required', `start_time ${second}`, `end_time ${second}`],
  ],
])('400 %s with %j reports every problem, in the order of the documented parameters', async (route, sent, messages) => {
  const [verb, path = ''] = route.split(' ');
  const call = request(service.running.url)
    [verb === 'GET' ? 'get' : 'post'](path)
    .set({ 'QISCUS-SDK-APP-ID': 'sdksample', 'QISCUS-SDK-SECRET': service.app.certificates[0] });
  const { status, body } = await call.send(sent);
  expect({ status, told: body.error.detailed_messages }).toEqual({ status: 400, told: messages });
  expect(body.error.message).toBe(messages.join(', '));
  expect(Object.values(body.error.errors).flat()).toEqual(messages);
});
