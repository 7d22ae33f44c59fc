using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>
/// A name of this process for shared memory, by which others can tell whether it still lives: a number, of which it holds a byte of the
/// lock file locked until it dies, with how often that number was given out before.
/// </summary>
/// <remarks>A name is never 0: bits 0 to 13 number, 14 to 30 generation, bit 31 is free for the user. Process ids would not do: containers have
/// their own.</remarks>
internal sealed unsafe class ProcessMark(LockFile locks, uint* generations)
{
    private const int NumberBits = 14;
    private const uint NumberMask = (1 << NumberBits) - 1, GenerationMask = (1 << 17) - 1;

    private readonly Lock _gate = new();
    private uint _name;

    /// <summary>Taken on first use.</summary>
    /// <exception cref="ErrnoException">EROFS: the volume is read-only.</exception>
    internal uint Name
    {
        get
        {
            uint name = Volatile.Read(ref _name);
            return name != 0 ? name : Take();
        }
    }

    /// <summary>In a forked child: the name is the parent's.</summary>
    internal void Forget() => _name = 0;

    internal bool IsAlive(uint name)
    {
        if (name == Volatile.Read(ref _name))
            return true;
        uint number = name & NumberMask;
        return Volatile.Read(ref generations[number]) == name >> NumberBits && locks.IsProcessLocked(number);
    }

    private uint Take()
    {
        lock (_gate)
        {
            if (_name != 0)
                return _name;
            uint first = (uint)Kernel.ProcessId();
            for (uint i = 0; i < NumberMask; i++)
            {
                uint number = (first + i) % NumberMask + 1;
                if (!locks.TryLockProcess(number))
                    continue;
                // What a dead one of this number still seems to hold is nobody's from here on.
                uint generation = (generations[number] + 1) & GenerationMask;
                Volatile.Write(ref generations[number], generation);
                Volatile.Write(ref _name, generation << NumberBits | number);
                return _name;
            }
            throw new ErrnoException(Errno.EAGAIN, $"{CoherenceLayout.Processes} processes write this volume");
        }
    }
}
