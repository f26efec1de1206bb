/** The types of the vendor's messages. Their bodies are opaque: only the clients interpret them. */
export const messageTypes = ['txt', 'img', 'audio', 'video', 'loc', 'file', 'cmd', 'custom'] as const;
export type MessageType = (typeof messageTypes)[number];
