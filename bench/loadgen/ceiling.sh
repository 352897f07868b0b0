#!/bin/bash
# Measures how many deliveries a second loadgen takes before its core is 85 % busy, against build/ceiling, which does nothing but write.
# Usage: ./ceiling.sh [frames per read] [sockets] [rates of requests per second...]; without arguments, one table for 1 and one for 16.
# SERVER_CPU and LOADGEN_CPU (0 and 1) are the cores.
cd "$(dirname "$0")" || exit 1
if [ $# = 0 ]; then
  ./ceiling.sh 1 1000 50 100 200 300 400 500 600
  exec ./ceiling.sh 16 1000 50 100 200 300 400 500 600
fi
batch=$1 sockets=$2
shift 2
exec 3< <(exec taskset -c "${SERVER_CPU:-0}" build/ceiling)
server=$!
trap 'kill $server' EXIT
read -r port <&3
{
  echo "target host=127.0.0.1 port=$port app=1 key=k secret=s pid=$server"
  echo "connect group=g count=$sockets channel=c"
  for rate in "$@"; do
    echo "publisher name=p mode=open rate=$rate channel=c bytes=100 batch=$batch connections=1"
    echo "run seconds=2 warmup=0.5 drain=3"
  done
} | taskset -c "${LOADGEN_CPU:-1}" build/loadgen | node -e '
  const lines = require("fs").readFileSync(0, "utf8").trim().split("\n").map((l) => JSON.parse(l));
  const bad = lines.find((l) => !l.ok || l.failed);
  if (bad) throw new Error(JSON.stringify(bad));
  console.log("frames/read  deliveries/s  loadgen core  server core  ns/delivery  lost  p99 ms");
  for (const r of lines.filter((l) => l.delivered !== undefined)) {
    const perSecond = r.delivered / r.seconds;
    console.log([(r.bytesIn / 200 / r.reads).toFixed(2).padStart(11), perSecond.toFixed(0).padStart(13),
      (100 * r.loadgenCpuShare).toFixed(0).padStart(12) + "%", (100 * r.serverCpuSeconds / r.seconds).toFixed(0).padStart(11) + "%",
      (1e9 * r.loadgenCpuShare / perSecond).toFixed(0).padStart(12), String(r.lost).padStart(5), (r.latencyMs.p99 ?? 0).toFixed(2).padStart(7)].join(" "));
  }'
