// What Renode has no model of: the mailbox between two cores, as an SSE-200 has it, and the timer of an MPS2 board. Renode compiles this file when a scene includes it.
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Timers;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.Miscellaneous
{
    // Register                  offset
    // CPU0INTR_STAT / SET / CLR 00/04/08   four bits; SET raises CPU 0's interrupt, CLR is for CPU 0 to acknowledge
    // CPU1INTR_STAT / SET / CLR 10/14/18   the same for CPU 1
    public class TwoCoreMailbox : IDoubleWordPeripheral, IKnownSize
    {
        public TwoCoreMailbox()
        {
            Cpu0 = new GPIO();
            Cpu1 = new GPIO();
            pending = new uint[2];
        }

        public void Reset()
        {
            pending[0] = 0;
            pending[1] = 0;
            Update();
        }

        public uint ReadDoubleWord(long offset)
        {
            return offset % Stride == 0 && offset < 2 * Stride ? pending[offset / Stride] : 0;
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(offset >= 2 * Stride)
            {
                return;
            }
            var cpu = offset / Stride;
            switch(offset % Stride)
            {
            case Set:
                pending[cpu] |= value & Bits;
                break;
            case Clear:
                pending[cpu] &= ~value;
                break;
            }
            Update();
        }

        public long Size => 0x1000;

        public GPIO Cpu0 { get; private set; }

        public GPIO Cpu1 { get; private set; }

        private void Update()
        {
            Cpu0.Set(pending[0] != 0);
            Cpu1.Set(pending[1] != 0);
        }

        private readonly uint[] pending;

        private const long Stride = 0x10;
        private const long Set = 0x04;
        private const long Clear = 0x08;
        private const uint Bits = 15;
    }

    // Register  offset
    // CTRL      00       bit 0: counts
    // VALUE     04       counts down
    // RELOAD    08       what it starts from again
    public class TwoCoreTimer : IDoubleWordPeripheral, IKnownSize
    {
        public TwoCoreTimer(IMachine machine, ulong frequency)
        {
            this.machine = machine;
            timer = new LimitTimer(machine.ClockSource, frequency, this, "counter", uint.MaxValue, Direction.Descending, workMode: WorkMode.Periodic);
        }

        public void Reset()
        {
            timer.Reset();
        }

        public uint ReadDoubleWord(long offset)
        {
            switch(offset)
            {
            case Control:
                return timer.Enabled ? 1u : 0;
            case Value:
                // The clock moves between pieces of a core's work; this moves it up to the instruction that reads.
                if(machine.SystemBus.TryGetCurrentCPU(out var cpu))
                {
                    cpu.SyncTime();
                }
                return (uint)timer.Value;
            case Reload:
                return (uint)timer.Limit;
            default:
                return 0;
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            switch(offset)
            {
            case Control:
                timer.Enabled = (value & 1) != 0;
                break;
            case Value:
                timer.Value = value;
                break;
            case Reload:
                timer.Limit = value;
                break;
            }
        }

        public long Size => 0x1000;

        private readonly IMachine machine;
        private readonly LimitTimer timer;

        private const long Control = 0x00;
        private const long Value = 0x04;
        private const long Reload = 0x08;
    }
}
