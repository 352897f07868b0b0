/**
 * Follows one order, and who is at the desk. The same for a page and for listen.mjs.
 * @param echo an instance of laravel-echo
 */
export function watchOrder(echo, order, { shipped, members }) {
  const names = new Map();
  const tell = () => members([...names.values()].sort());
  // The class of the event without its namespace: Echo adds App.Events.
  echo.private(`orders.${order}`).listen('OrderShipped', shipped);
  echo
    .join('desk')
    .here((users) => {
      names.clear();
      for (const { id, name } of users) names.set(id, name);
      tell();
    })
    .joining(({ id, name }) => {
      names.set(id, name);
      tell();
    })
    .leaving(({ id }) => {
      names.delete(id);
      tell();
    });
}
