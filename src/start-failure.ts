import { EnvError } from './config/env.js';
import { DatabaseRefused } from './database/database-refused.js';
import { AppError } from './errors/app-error.js';
import { errorText } from './logging/serialize-error.js';

/** An error that a person can fix becomes a sentence; any other needs its stack. */
export function startFailure(error: unknown): string {
  if (error instanceof EnvError || error instanceof DatabaseRefused) return error.message;
  if (error instanceof AppError) return error.detail ?? (error.cause as Error | undefined)?.message ?? error.code;
  return listenFailure(error as ListenError) ?? errorText(error);
}

type ListenError = NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string };

function listenFailure({ code, syscall, address, port, hostname, message }: ListenError): string | null {
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return null;
  if (code === 'EADDRINUSE') return `${address}:${port} is in use by another program: stop that, or set PORT`;
  if (code === 'EACCES')
    return `PORT: this user may not listen on ${port}; take one from 1024 on, or give the process the right to`;
  if (code === 'EADDRNOTAVAIL') return `HOST: ${address} is no address of this machine; 0.0.0.0 stands for all it has`;
  if (syscall === 'getaddrinfo')
    return `HOST: there is no address for ${hostname}; 127.0.0.1 is this machine alone, 0.0.0.0 all its addresses`;
  return `HOST, PORT: ${message}`;
}
