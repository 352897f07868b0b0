/** The app that this application publishes to: the gateway's own `POGO_WS_APP_ID`, and the `aud` of its tokens. */
export const APP_ID = process.env['POGO_WS_APP_ID'] ?? '1';
