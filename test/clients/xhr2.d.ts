// The package has no types; only package-host.mjs uses it.
declare module 'xhr2';
