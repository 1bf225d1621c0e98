# Functions of the checks inside the guest. A check is a command whose last line of output is the detail; status 0 = passed, 77 = not run.

# row NUMBER COMMAND...: runs a check and reports it.
row() {
  number=$1
  shift
  detail=$("$@" 2>&1)
  case $? in 0) verdict=passed ;; 77) verdict='not run' ;; *) verdict=failed ;; esac
  echo "@row $number $verdict $(echo "$detail" | tail -n 1)"
}

# host WORD...: has the host do something, and waits until it is done.
host() {
  echo "@host $*" >/dev/ttyS1
  read -r answer </dev/ttyS1
}

# begin COMMAND...: runs COMMAND, which moves data until /tmp/stop exists, in the background; returns when it has begun. Its words go to /tmp/traffic.
begin() {
  rm -f /tmp/stop /tmp/traffic
  "$@" /tmp/stop >/tmp/traffic 2>&1 &
  until [ -s /tmp/traffic ]; do usleep 10000; done
}

# The virtio device in a PCI slot such as 03, as sysfs shows it.
place() {
  echo /sys/bus/pci/devices/0000:00:$1.0/virtio*
}

# bound SLOT DRIVER
bound() {
  driver=$(basename "$(readlink "$(place $1)/driver")")
  status=$(cat "$(place $1)/status")
  echo "$driver, status $status"
  [ "$driver" = "$2" ] && [ $((status)) -eq 15 ]
}

# features SLOT [+BIT | -BIT]...: which bits were negotiated; +BIT must be among them, -BIT must not.
features() {
  bits=$(cat "$(place $1)/features")
  shift
  echo "$(echo "$bits" | fold -w 1 | awk '$1 == 1 { printf "%s%d", between, NR - 1; between = " " }')"
  for wanted in "$@"; do
    [ "$(echo "$bits" | cut -c $((${wanted#?} + 1)))" = "$(echo "$wanted" | sed 's/^+.*/1/; s/^-.*/0/')" ] || return 1
  done
}

# rng_use INDEX: the kernel's random numbers come from this device from now on.
rng_use() {
  echo virtio_rng.$1 >/sys/class/misc/hw_random/rng_current
  [ "$(cat /sys/class/misc/hw_random/rng_current)" = virtio_rng.$1 ]
}

# rng_bytes INDEX BLOCKS: so many blocks of 64 bytes.
rng_bytes() {
  rng_use $1 && dd if=/dev/hwrng bs=64 count=$2 iflag=fullblock 2>/dev/null | xxd -p | tr -d '\n'
}

rng_traffic() {
  echo begun
  until [ -e $1 ]; do dd if=/dev/hwrng of=/dev/null bs=64 count=16 2>/dev/null; done
}

# rng_rebind INDEX SLOT: the driver goes and comes back while somebody reads.
rng_rebind() {
  rng_use $1 || return 1
  begin rng_traffic
  for turn in 1 2 3; do
    name=$(basename "$(place $2)")
    echo "$name" >/sys/bus/virtio/drivers/virtio_rng/unbind || return 1
    echo "$name" >/sys/bus/virtio/drivers/virtio_rng/bind || return 1
    rng_use $1 || return 1
  done
  touch /tmp/stop
  wait
  rng_bytes $1 16
}

# rng_pause INDEX: the virtual machine is paused while somebody reads; every ring is stopped and goes on where it was.
rng_pause() {
  rng_use $1 || return 1
  begin rng_traffic
  for turn in 1 2 3; do host pause; usleep 100000; done
  touch /tmp/stop
  wait
  rng_bytes $1 16
}

# rng_restart INDEX NAME: the device's process is killed and started anew while somebody reads.
rng_restart() {
  rng_use $1 || return 1
  begin rng_traffic
  restart_amid $2
  touch /tmp/stop
  wait
  rng_bytes $1 16
}

# The disk in a PCI slot, as /dev has it.
disk() {
  basename "$(place $1)"/block/*
}

# identity SLOT SECTORS SERIAL QUEUES
identity() {
  sys=/sys/block/$(disk $1)
  found="$(cat $sys/size) sectors, serial $(cat $sys/serial), $(ls $sys/mq | wc -l) queues"
  echo "$found, blocks of $(cat $sys/queue/logical_block_size), $(cat $sys/queue/write_cache)"
  [ "$found" = "$2 sectors, serial $3, $4 queues" ]
}

# statistic SLOT FIELD: a number of the disk's statistics (Documentation/block/stat.rst).
statistic() {
  awk "{ print \$$2 }" /sys/block/$(disk $1)/stat
}

# flushes SLOT: data written and made stable; the flush must have been a request.
flushes() {
  before=$(statistic $1 16)
  dd if=/dev/urandom of=/tmp/data bs=4096 count=16 2>/dev/null
  dd if=/tmp/data of=/dev/$(disk $1) bs=4096 conv=fsync 2>/dev/null || return 1
  dd if=/dev/$(disk $1) bs=4096 count=16 iflag=direct 2>/dev/null | cmp - /tmp/data || return 1
  echo "$(($(statistic $1 16) - before)) flush requests"
  [ "$(statistic $1 16)" -gt "$before" ]
}

# ranges SLOT discard|zero FIELD: FIELD counts such requests, or is 0.
ranges() {
  before=0
  [ $3 -eq 0 ] || before=$(statistic $1 $3)
  guest-tool $2 /dev/$(disk $1) || return 1
  [ $3 -eq 0 ] || [ "$(statistic $1 $3)" -gt "$before" ]
}

# file_system SLOT
file_system() {
  device=/dev/$(disk $1)
  mke2fs -F $device >/dev/null 2>&1 && mount -t ext4 $device /mnt || return 1
  for file in $(seq 1 40); do dd if=/dev/urandom of=/mnt/$file bs=5003 count=$file 2>/dev/null || return 1; done
  (cd /mnt && md5sum [0-9]* >/tmp/sums) && umount /mnt && mount -t ext4 $device /mnt || return 1
  (cd /mnt && md5sum -c -s /tmp/sums) || return 1
  umount /mnt && e2fsck -f -n $device >/tmp/e2fsck 2>&1 || { tail -n 1 /tmp/e2fsck; return 1; }
  echo "ext2: 40 files, 4,102,460 bytes, checksums after a second mount; e2fsck finds nothing"
}

# disk_rebind SLOT: the driver goes and comes back while data is moved; what was moved then may fail, and nothing afterwards.
disk_rebind() {
  for turn in 1 2 3; do
    begin disk_traffic $1
    usleep 300000
    name=$(basename "$(place $1)")
    echo "$name" >/sys/bus/virtio/drivers/virtio_blk/unbind || return 1
    touch /tmp/stop
    wait
    echo "$name" >/sys/bus/virtio/drivers/virtio_blk/bind || return 1
  done
  traffic=$(tail -n 1 /tmp/traffic)
  guest-tool random /dev/$(disk $1) 5 20 || return 1
  echo "three times; the last time $traffic; afterwards everything reads as it was written"
}

# amid "TRAFFIC..." COMMAND...: runs COMMAND while TRAFFIC moves data; none of it may fail. Leaves in $traffic what was moved.
amid() {
  moving=$1
  shift
  begin $moving
  "$@"
  touch /tmp/stop
  wait
  traffic=$(tail -n 1 /tmp/traffic)
  echo "$traffic" | grep -q 'none failed' || { echo "$traffic"; return 1; }
}

pause_often() {
  for turn in 1 2 3 4 5; do usleep 100000; host pause; done
}

restart_amid() {
  usleep 300000
  host restart "$1"
  usleep 300000
}

# disk_pause SLOT: the virtual machine is paused while data is moved.
disk_pause() {
  amid "disk_traffic $1" pause_often && guest-tool random /dev/$(disk $1) 7 20 || return 1
  echo "five times, $traffic; afterwards everything reads as it was written"
}

# disk_restart SLOT NAME: the device's process is killed and started anew while data is moved.
disk_restart() {
  amid "disk_traffic $1" restart_amid "$2" && guest-tool random /dev/$(disk $1) 6 20 || return 1
  echo "$traffic; afterwards everything reads as it was written"
}

disk_traffic() {
  guest-tool traffic /dev/$(disk $1) $2
}

# random_transfers SLOT SEED COUNT and move SLOT MEBIBYTES: see guest-tool.c
random_transfers() {
  guest-tool random /dev/$(disk $1) $2 $3
}

move() {
  guest-tool move /dev/$(disk $1) $2
}

# The network interface in a PCI slot.
interface() {
  basename "$(place $1)"/net/*
}

# pair SLOT INDEX: 10.0.INDEX.1 here and 10.0.INDEX.2 in a network of its own, both behind the interface; frames between them go out and come back.
pair() {
  nic=$(interface $1)
  ip link set $nic up
  for end in 1 2; do ip link add link $nic name m$2$end type macvlan || return 1; done
  unshare -n sleep 100000 </dev/null >/dev/null 2>&1 &
  other=$!
  echo $other >/tmp/other$2
  until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do usleep 10000; done
  ip link set m${2}2 netns $other && ip addr add 10.0.$2.1/24 dev m${2}1 && ip link set m${2}1 up || return 1
  there $2 ip addr add 10.0.$2.2/24 dev m${2}2 && there $2 ip link set m${2}2 up
}

# there INDEX COMMAND...: runs it in the network of the other end.
there() {
  into=$(cat /tmp/other$1)
  shift
  nsenter -t $into -n "$@"
}

# apart INDEX: the other end goes; so do both of the pair, or they have gone with their interface.
apart() {
  kill $(cat /tmp/other$1)
  ip link del m${1}1 2>/dev/null
  true
}

# pings INDEX SLOT: three long pings; their frames must have come back through the interface.
pings() {
  counted=/sys/class/net/$(interface $2)/statistics/rx_packets
  before=$(cat $counted)
  ping -q -c 3 -s 1400 10.0.$1.2 >/tmp/ping || { tail -n 2 /tmp/ping; return 1; }
  echo "$(grep received /tmp/ping), $(($(cat $counted) - before)) frames came back"
  grep -q ' 0% packet loss' /tmp/ping && [ $(($(cat $counted) - before)) -ge 6 ]
}

# ping_pair SLOT INDEX
ping_pair() {
  pair $1 $2 && pings $2 $1
}

# net_transfer INDEX MEBIBYTES: by TCP from one end to the other.
net_transfer() {
  dd if=/dev/urandom of=/tmp/data bs=1M count=$2 2>/dev/null
  there $1 httpd -f -p 80 -h /tmp </dev/null >/dev/null 2>&1 &
  server=$!
  until there $1 netstat -l -n -t | grep -q ':80 '; do usleep 50000; done
  wget -q -O /tmp/got http://10.0.$1.2/data || return 1
  kill $server
  cmp /tmp/data /tmp/got || return 1
  echo "$2 MiB, md5 $(md5sum </tmp/got | cut -c 1-32)"
}

# net_rebind SLOT INDEX: the driver goes and comes back while packets are under way.
net_rebind() {
  for turn in 1 2 3; do
    rm -f /tmp/stop
    (until [ -e /tmp/stop ]; do ping -q -c 1 -W 1 -s 1400 10.0.$2.2; done) </dev/null >/dev/null 2>&1 &
    traffic=$!
    usleep 300000
    name=$(basename "$(place $1)")
    echo "$name" >/sys/bus/virtio/drivers/virtio_net/unbind || return 1
    touch /tmp/stop
    wait $traffic
    apart $2
    echo "$name" >/sys/bus/virtio/drivers/virtio_net/bind || return 1
    pair $1 $2 || return 1
  done
  pings $2 $1
}

# net_pause SLOT INDEX: the virtual machine is paused between packets.
net_pause() {
  for turn in 1 2 3; do host pause; ping -q -c 1 -s 1400 10.0.$2.2 >/tmp/ping || { tail -n 2 /tmp/ping; return 1; }; done
  pings $2 $1
}

# net_restart SLOT INDEX NAME: the device's process is killed and started anew; packets of that moment may be lost.
net_restart() {
  host restart "$3"
  until ping -q -c 1 -W 1 10.0.$2.2 >/dev/null; do usleep 200000; done
  pings $2 $1
}

# The GPIO chip in a PCI slot.
chip() {
  basename "$(place $1)"/gpiochip*
}

# gpio_names SLOT LINES NAME..., gpio_values SLOT OUT IN COUNT, gpio_edges SLOT OUT IN COUNT: see io-tool.c
gpio_names() {
  slot=$1
  shift
  io-tool names /dev/$(chip $slot) "$@"
}

gpio_values() {
  io-tool values /dev/$(chip $1) $2 $3 $4
}

gpio_edges() {
  io-tool edges /dev/$(chip $1) $2 $3 $4
}

gpio_traffic() {
  io-tool wires /dev/$(chip $1) $2
}

gpio_pause() {
  amid "gpio_traffic $1" pause_often && gpio_values $1 2 3 9 || return 1
  echo "five times, $traffic; afterwards every change is seen"
}

# gpio_restart SLOT NAME: directions and levels go with the process, so what is done at that moment may fail, and nothing afterwards.
gpio_restart() {
  begin gpio_traffic $1
  restart_amid "$2"
  touch /tmp/stop
  wait
  gpio_values $1 2 3 9 || return 1
  echo "$(tail -n 1 /tmp/traffic); afterwards every change is seen"
}

# gpio_rebind SLOT: three times the driver goes and comes back between two uses.
gpio_rebind() {
  for turn in 1 2 3; do
    name=$(basename "$(place $1)")
    echo "$name" >/sys/bus/virtio/drivers/gpio_virtio/unbind || return 1
    [ ! -e "$(place $1)"/gpiochip* ] || { echo 'the chip has not gone'; return 1; }
    echo "$name" >/sys/bus/virtio/drivers/gpio_virtio/bind || return 1
    gpio_values $1 0 1 9 || return 1
  done
  echo "three times; afterwards every change is seen"
}

# The I2C adapter in a PCI slot.
adapter() {
  basename "$(place $1)"/i2c-*
}

# at_once SLOT: QEMU's queue has four entries. A message takes three of them, or one when it is indirect.
at_once() {
  if features $1 +28 >/dev/null; then echo 4; else echo 1; fi
}

i2c_sensor() {
  io-tool sensor /dev/$(adapter $1) $(at_once $1)
}

# i2c_memory SLOT SEED COUNT
i2c_memory() {
  io-tool memory /dev/$(adapter $1) $(at_once $1) $2 $3
}

# i2c_lm75 SLOT: the kernel's driver of such sensors reads the temperature, and a limit that it wrote.
i2c_lm75() {
  bus=/sys/bus/i2c/devices/$(adapter $1)
  echo lm75 0x48 >$bus/new_device || return 1
  hwmon=$(echo $bus/*-0048/hwmon/hwmon*)
  echo 61500 >$hwmon/temp1_max
  found="$(cat $hwmon/name) reads $(cat $hwmon/temp1_input), limit $(cat $hwmon/temp1_max)"
  echo 0x48 >$bus/delete_device || return 1
  echo "$found"
  [ "$found" = 'lm75 reads 25000, limit 61500' ]
}

# i2c_at24 SLOT: the kernel's driver of such memories writes all of it and reads it back.
i2c_at24() {
  bus=/sys/bus/i2c/devices/$(adapter $1)
  echo 24c02 0x50 >$bus/new_device || return 1
  dd if=/dev/urandom of=/tmp/data bs=256 count=1 2>/dev/null
  dd if=/tmp/data of=$(echo $bus/*-0050/eeprom) bs=256 2>/dev/null && cmp /tmp/data $bus/*-0050/eeprom || return 1
  echo 0x50 >$bus/delete_device || return 1
  echo "256 bytes, md5 $(md5sum </tmp/data | cut -c 1-32)"
}

i2c_traffic() {
  io-tool wire /dev/$(adapter $1) $(at_once $1) $2
}

i2c_pause() {
  amid "i2c_traffic $1" pause_often && i2c_memory $1 3 20 || return 1
  echo "five times, $traffic; afterwards everything reads as it was written"
}

# i2c_restart SLOT NAME: the device's process is killed and started anew; the memory's content goes with it.
i2c_restart() {
  begin i2c_traffic $1
  restart_amid "$2"
  touch /tmp/stop
  wait
  i2c_memory $1 4 20 || return 1
  echo "$(tail -n 1 /tmp/traffic); afterwards everything reads as it was written"
}

unbind_later() {
  name=$(basename "$(place $1)")
  usleep 300000
  echo "$name" >/sys/bus/virtio/drivers/$2/unbind &
  usleep 100000
}

# i2c_rebind SLOT: the kernel lets the adapter's driver go when nobody has the adapter open any more; what is under way till then may not fail.
i2c_rebind() {
  for turn in 1 2 3; do
    amid "i2c_traffic $1" unbind_later $1 i2c_virtio || return 1
    [ ! -e "$(place $1)/driver" ] || { echo 'the driver has not gone'; return 1; }
    echo "$name" >/sys/bus/virtio/drivers/i2c_virtio/bind || return 1
    i2c_memory $1 5 20 || return 1
  done
  echo "three times; the last time $traffic; afterwards everything reads as it was written"
}

# The event device of the input device in a PCI slot.
events() {
  echo /dev/input/$(basename "$(place $1)"/input/input*/event*)
}

# input_identity SLOT, input_events SLOT COUNT, input_lamp SLOT COUNT: see io-tool.c
input_identity() {
  io-tool identity "$(events $1)"
}

input_events() {
  io-tool groups "$(events $1)" $2
}

input_lamp() {
  io-tool lamp "$(events $1)" $2
}

input_traffic() {
  io-tool listen "$(events $1)" $2
}

input_pause() {
  amid "input_traffic $1" pause_often && input_events $1 20 || return 1
  echo "five times, $traffic; afterwards all in order"
}

# input_rebind SLOT: the driver goes and comes back while somebody reads, whose descriptor then ends.
input_rebind() {
  for turn in 1 2 3; do
    begin input_traffic $1
    name=$(basename "$(place $1)")
    echo "$name" >/sys/bus/virtio/drivers/virtio_input/unbind || return 1
    touch /tmp/stop
    wait
    echo "$name" >/sys/bus/virtio/drivers/virtio_input/bind || return 1
    input_events $1 20 || return 1
  done
  echo "three times; afterwards all in order"
}
