// window.Echo is what resources/js/echo.js makes, which `pogo laravel:install` has written.
import { watchOrder } from './watch-order.js';

const desk = document.querySelector('#desk');
const log = document.querySelector('#log');

watchOrder(window.Echo, document.body.dataset.order, {
  shipped: ({ orderId, carrier }) => log.append(line(`order ${orderId} left with ${carrier}`)),
  members: (names) => (desk.textContent = names.join(', ')),
});

function line(text) {
  const item = document.createElement('li');
  item.textContent = text;
  return item;
}
