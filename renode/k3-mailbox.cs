// What Renode has no model of: a block of the K3 mailbox of TI's SoCs. Renode compiles this file when a scene includes it.
using System.Collections.Generic;
using System.Linq;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;

namespace Antmicro.Renode.Peripherals.Miscellaneous
{
    // Sixteen FIFOs of four words; each of four users has an interrupt, the GPIO of its number.
    //
    // Register              offset
    // MESSAGE(m)            040 + 4m    write: send, lost when the FIFO is full; read: take the oldest word, 0 when there is none
    // FIFOSTATUS(m)         080 + 4m    b0: full
    // MSGSTATUS(m)          0C0 + 4m    b2-0: words waiting
    // IRQSTATUS_CLR(u)      104 + 10u   read: what is pending and enabled; write one to clear; NEWMSG b2m
    // IRQENABLE_SET(u)      108 + 10u
    // IRQENABLE_CLR(u)      10C + 10u
    public class K3Mailbox : IDoubleWordPeripheral, INumberedGPIOOutput, IKnownSize
    {
        public K3Mailbox()
        {
            fifos = Enumerable.Range(0, Fifos).Select(_ => new Queue<uint>()).ToArray();
            Connections = Enumerable.Range(0, Users).ToDictionary(user => user, _ => (IGPIO)new GPIO());
            pending = new uint[Users];
            enabled = new uint[Users];
        }

        public void Reset()
        {
            foreach(var fifo in fifos)
            {
                fifo.Clear();
            }
            for(var user = 0; user < Users; user++)
            {
                pending[user] = 0;
                enabled[user] = 0;
            }
            Update();
        }

        public uint ReadDoubleWord(long offset)
        {
            if(offset >= Interrupts && offset < Interrupts + Users * UserStride)
            {
                var user = (offset - Interrupts) / UserStride;
                switch(offset % UserStride)
                {
                case Status:
                    return pending[user] & enabled[user];
                case EnableSet:
                case EnableClear:
                    return enabled[user];
                default:
                    return 0;
                }
            }
            var fifo = fifos[offset / 4 % Fifos];
            switch(offset / FifoBlock * FifoBlock)
            {
            case Message:
                return fifo.Count == 0 ? 0 : fifo.Dequeue();
            case FifoStatus:
                return fifo.Count == Depth ? 1u : 0;
            case MessageStatus:
                return (uint)fifo.Count;
            default:
                return 0;
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(offset >= Interrupts && offset < Interrupts + Users * UserStride)
            {
                var user = (offset - Interrupts) / UserStride;
                switch(offset % UserStride)
                {
                case Status:
                    // While words wait the status is raised again at once.
                    pending[user] = (pending[user] & ~value) | Waiting;
                    break;
                case EnableSet:
                    enabled[user] |= value;
                    break;
                case EnableClear:
                    enabled[user] &= ~value;
                    break;
                }
            }
            else if(offset / FifoBlock * FifoBlock == Message && fifos[offset / 4 % Fifos].Count < Depth)
            {
                fifos[offset / 4 % Fifos].Enqueue(value);
                for(var user = 0; user < Users; user++)
                {
                    pending[user] |= Waiting;
                }
            }
            Update();
        }

        public long Size => 0x1000;

        public IReadOnlyDictionary<int, IGPIO> Connections { get; private set; }

        private void Update()
        {
            for(var user = 0; user < Users; user++)
            {
                Connections[user].Set((pending[user] & enabled[user]) != 0);
            }
        }

        // NEWMSG of every FIFO that holds words.
        private uint Waiting => fifos.Select((fifo, number) => fifo.Count == 0 ? 0 : 1u << (2 * number)).Aggregate(0u, (bits, bit) => bits | bit);

        private readonly Queue<uint>[] fifos;
        private readonly uint[] pending;
        private readonly uint[] enabled;

        private const int Fifos = 16;
        private const int Depth = 4;
        private const int Users = 4;
        private const long FifoBlock = 4 * Fifos;
        private const long Message = 0x040;
        private const long FifoStatus = 0x080;
        private const long MessageStatus = 0x0c0;
        private const long Interrupts = 0x100;
        private const long UserStride = 0x10;
        private const long Status = 0x04;
        private const long EnableSet = 0x08;
        private const long EnableClear = 0x0c;
    }
}
