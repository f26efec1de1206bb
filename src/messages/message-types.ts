/** The types of the vendor's messages. Their bodies are opaque: what is in them is between the clients. */
export const messageTypes = ['txt', 'img', 'audio', 'video', 'loc', 'file', 'cmd', 'custom'] as const;
export type MessageType = (typeof messageTypes)[number];
