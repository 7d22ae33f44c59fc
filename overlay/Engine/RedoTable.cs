using System;
using System.Runtime.InteropServices;
using System.Threading;
using Overlay.Files;
using Overlay.Metadata.Protocol;
using static Overlay.Format.FormatConstants;

namespace Overlay.Engine;

/// <summary>Index writes that are under way, in shared memory: it outlives the process that is killed in one (<see cref="IRedo"/>).</summary>
/// <remarks>
/// A slot is its owner's from a compare-and-swap on <see cref="Slot.Owner"/> to a store of 0; it counts while <see cref="Slot.IsComplete"/> is 1. Only
/// who holds an inode's lock begins, looks for or drops its slot, so there is at most one for an inode. Slots of the dead stay until
/// somebody takes the lock; where none is free, those of the dead are taken.
/// </remarks>
internal sealed unsafe class RedoTable(byte* memory, ProcessMark process, uint bootWord)
{
    /// <summary>In an owner's name: what was in the slot is nobody's any more, and something else is about to be.</summary>
    private const uint GivenUp = 0x80000000;

    [StructLayout(LayoutKind.Explicit, Size = CoherenceLayout.RedoSlotSize)]
    private struct Slot
    {
        [FieldOffset(0)] internal uint Owner;
        [FieldOffset(4)] internal int IsComplete;
        [FieldOffset(8)] internal uint Boot;
        [FieldOffset(12)] internal int Length;
        [FieldOffset(16)] internal UInt128 FileId;
        [FieldOffset(32)] internal ulong Device;
        [FieldOffset(40)] internal ulong Inode;
        [FieldOffset(48)] internal long Offset;
        [FieldOffset(56)] internal long TableOffset;
        [FieldOffset(64)] internal byte Data;
    }

    private Slot* At(int index) => (Slot*)(memory + (long)index * CoherenceLayout.RedoSlotSize);

    internal IRedo For(ulong device, ulong inode) => new InodeRedo(this, device, inode);

    private Slot* Claim()
    {
        uint name = process.Name;
        int first = (int)((uint)Environment.CurrentManagedThreadId * 7 + name) & (CoherenceLayout.RedoSlots - 1);
        for (int i = 0; ; i++)
        {
            Slot* slot = At((first + i) & (CoherenceLayout.RedoSlots - 1));
            uint owner = Volatile.Read(ref slot->Owner);
            // On the first round those that are free; then also those whose owners were killed and whose files nobody has come to since.
            bool isFree = owner == 0 || (i >= CoherenceLayout.RedoSlots && !process.IsAlive(owner & ~GivenUp));
            if (isFree && Interlocked.CompareExchange(ref slot->Owner, name | GivenUp, owner) == owner)
            {
                // Until here it may still look like what the dead one had begun: nobody takes that over any more.
                Volatile.Write(ref slot->IsComplete, 0);
                slot->Boot = bootWord;
                Volatile.Write(ref slot->Owner, name);
                return slot;
            }
            if (i >= CoherenceLayout.RedoSlots)
                Thread.Yield();
        }
    }

    private Slot* Find(ulong device, ulong inode)
    {
        for (int i = 0; i < CoherenceLayout.RedoSlots; i++)
        {
            Slot* slot = At(i);
            if (Volatile.Read(ref slot->IsComplete) == 1 && slot->Inode == inode && slot->Device == device && slot->Boot == bootWord)
                return slot;
        }
        return null;
    }

    /// <summary>Of a dead owner: nobody takes the slot away while it is read.</summary>
    private Slot* TakeOver(ulong device, ulong inode)
    {
        for (; ; )
        {
            Slot* slot = Find(device, inode);
            if (slot == null)
                return null;
            uint owner = Volatile.Read(ref slot->Owner), name = process.Name;
            if ((owner & GivenUp) != 0)
                return null;
            if (owner != 0 && Interlocked.CompareExchange(ref slot->Owner, name, owner) == owner && slot == Find(device, inode))
                return slot->Length is >= 1 and <= PageSize ? slot : null;
        }
    }

    private static void Free(Slot* slot)
    {
        Volatile.Write(ref slot->IsComplete, 0);
        Volatile.Write(ref slot->Owner, 0);
    }

    private sealed class InodeRedo(RedoTable table, ulong device, ulong inode) : IRedo
    {
        private Slot* _slot;

        public bool Keeps => true;

        public void Begin(ReadOnlySpan<byte> fileId, long offset, ReadOnlySpan<byte> data, long tableOffset, ReadOnlySpan<byte> units)
        {
            if (data.Length > PageSize || (tableOffset != 0 && units.Length != UnitTableSize))
                throw new ArgumentException("more than a page and a table", nameof(data));
            Slot* slot = table.Claim();
            slot->Device = device;
            slot->Inode = inode;
            slot->FileId = SealedFile.IdOf(fileId);
            slot->Offset = offset;
            slot->Length = data.Length;
            slot->TableOffset = tableOffset;
            Span<byte> kept = new(&slot->Data, RedoRange.Room);
            data.CopyTo(kept);
            units.CopyTo(kept[data.Length..]);
            Volatile.Write(ref slot->IsComplete, 1);
            _slot = slot;
        }

        public void End()
        {
            Free(_slot);
            _slot = null;
        }

        public bool TryFind(Span<byte> kept, out RedoRange range)
        {
            range = default;
            Slot* slot = table.TakeOver(device, inode);
            if (slot == null)
                return false;
            range = new RedoRange(slot->FileId, slot->Offset, slot->Length, slot->TableOffset);
            new ReadOnlySpan<byte>(&slot->Data, range.Length + range.TableLength).CopyTo(kept);
            return true;
        }

        public void Drop()
        {
            Slot* slot = table.Find(device, inode);
            if (slot != null)
                Free(slot);
        }
    }
}
