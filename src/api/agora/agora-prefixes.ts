/** Both families of addresses of the vendor lead to the same app. */
export const agoraPrefixes = [':org/:app', 'app-id/:appId'];
