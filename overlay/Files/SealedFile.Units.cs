using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>Blocks in units (format §6): where they lie, and reading them.</summary>
public sealed partial class SealedFile
{
    /// <summary>Blocks are told apart modulo so many: 16 GB of a file with blocks of 16 KiB.</summary>
    private const long MostTouched = 1 << 20;

    private readonly UnitLayout _units;

    /// <summary>Blocks of which some units were read.</summary>
    private BlockSet _wereTouched;

    private UnitTable TableOf(IndexPage page, int slot, int half)
    {
        if (page.Tables is null)
            ReadTables(page);
        return new UnitTable(page.Tables.AsSpan(Geometry.TableIn(slot, half), UnitTableSize));
    }

    private void ReadTables(IndexPage page)
    {
        Span<byte> tables = page.RoomForTables();
        int count = _header.HasUnits ? ReadStored(_geometry.TablesOffset(page.Group), tables) : 0;
        tables[count..].Clear();
        page.KeepTables();
    }

    /// <summary>Does its table belong to it? Else nothing is known of its units.</summary>
    private bool HasTable(IndexPage page, int slot, BlockVersion version)
    {
        if (!version.IsInUnits || !version.IsSane(_geometry.BlockSize, mayBeInline: false))
            return false;
        UnitTable table = TableOf(page, slot, version.Place);
        ulong bit = 1UL << (2 * slot + version.Place);
        if ((page.ProvenTables & bit) != 0)
            return true;
        bool isProven = version.IsAuthentic(_fileId, page.Group * GroupBlocks + slot, KeyOf(version), table.Bytes);
        page.ProvenTables |= isProven ? bit : 0;
        return isProven;
    }

    /// <summary>A small read of a block in units opens no other ones, the first time. Who comes again is to find all of the block in the cache.</summary>
    /// <returns>False: it is to be read as usual, or something is wrong with it.</returns>
    private bool TryReadUnits(long block, int inBlock, Span<byte> part)
    {
        if (!_header.HasUnits || part.Length > _units.Size || _wereTouched.Contains(block % MostTouched))
            return false;
        IndexPage? page = FindGroup(Geometry.GroupOf(block));
        int slot = Geometry.SlotOf(block);
        if (page is null || (new GroupRecord(page.Bytes).Present >> slot & 1) == 0)
            return false;
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        // Which version of the block counts after a power loss, all of its units say together.
        if (IsYoung(page, slot) || MayBeLost(current.Interval, current.Boot) || current.IsOdd != _key.IsOdd || !HasTable(page, slot, current))
            return false;
        using Scratch scratch = ScratchPool.Rent(_units.Size);
        UnitTable table = TableOf(page, slot, current.Place);
        for (int done = 0, count; done < part.Length; done += count)
        {
            int unit = (inBlock + done) >> _units.SizeLog2, inUnit = (inBlock + done) & (_units.Size - 1);
            count = Math.Min(_units.Size - inUnit, part.Length - done);
            Span<byte> plain = scratch.Span[.._units.Size];
            int length = _units.LengthOf(unit, current.StoredLength);
            if (length > 0 && !TryOpenUnit(table, page, slot, block, unit, plain[..length]))
                return false;
            plain[length..].Clear();
            plain.Slice(inUnit, count).CopyTo(part[done..]);
        }
        _wereTouched.Add(block % MostTouched, Math.Min(_geometry.BlockOf(_header.Size), MostTouched - 1));
        return true;
    }

    private bool TryOpenUnits(BlockVersion version, IndexPage page, int slot, long block, Span<byte> plain)
    {
        if (!HasTable(page, slot, version))
            return false;
        DataKey key = KeyOf(version)!; // its table has proven it
        UnitTable table = TableOf(page, slot, version.Place);
        int length = version.StoredLength, count = _units.CountFor(length);
        if (table.HasBase && !TryOpenBase(version, page, slot, block, key, plain[..length]))
            return false;
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize + DataKey.TagFieldSize);
        for (int first = 0, next; first < count; first = next)
        {
            // Those that lie side by side come in one read.
            int place = table.PlaceOf(first);
            for (next = first + 1; next < count && table.PlaceOf(next) == place;)
                next++;
            if (table.IsInBase(first))
                continue;
            int start = first << _units.SizeLog2, end = Math.Min(next << _units.SizeLog2, length);
            if (place >= PlaceCount || ReadPlace(_geometry.PlaceOffset(page.Group, slot, place) + start, scratch.Span[..(end - start)]) != end - start)
                return false;
            // From the last to the first: the room for a unit's tag is where the next one's text was.
            for (int unit = next - 1; unit >= first; unit--)
            {
                int at = unit << _units.SizeLog2;
                if (!table.TryOpen(_fileId, block, unit, key, scratch.Span[(at - start)..], plain.Slice(at, _units.LengthOf(unit, length))))
                    return false;
            }
        }
        return true;
    }

    /// <summary>One unit of a version of the present key, whose table was proven. False: it is damaged, or torn.</summary>
    private bool TryOpenUnit(UnitTable table, IndexPage page, int slot, long block, int unit, Span<byte> plain)
    {
        int place = table.PlaceOf(unit);
        using Scratch scratch = ScratchPool.Rent(_units.Size + DataKey.TagFieldSize);
        long offset = _geometry.PlaceOffset(page.Group, slot, place) + (unit << _units.SizeLog2);
        return place < PlaceCount && ReadPlace(offset, scratch.Span[..plain.Length]) == plain.Length &&
            table.TryOpen(_fileId, block, unit, _key, scratch.Span, plain);
    }

    /// <summary>Adds, for each place, the units of it in which a version has stored bytes: bit u is unit u.</summary>
    private void AddUsed(IndexPage page, int slot, BlockVersion version, Span<uint> used)
    {
        if (version.IsZero)
            return;
        int count = _units.CountFor(Math.Min(version.StoredLength, _geometry.BlockSize));
        if (!version.IsInUnits)
        {
            // Also of a base: all of it is needed to open any of it.
            if (version.Place < PlaceCount)
                used[version.Place] |= (1U << count) - 1;
            return;
        }
        // A table that is not its own says nothing, and nothing can be read by it.
        if (!HasTable(page, slot, version))
            return;
        UnitTable table = TableOf(page, slot, version.Place);
        for (int unit = 0; unit < count; unit++)
            if (!table.IsInBase(unit))
                used[table.PlaceOf(unit)] |= 1U << unit;
        if (!table.HasBase)
            return;
        Span<byte> record = stackalloc byte[VersionSize];
        AddUsed(page, slot, BaseOf(version, table, record), used);
    }

    /// <summary>
    /// What the next version must not overwrite: the current one, and where that is not on disk the durable one. Of an entry that was resolved.
    /// </summary>
    private void FindTaken(IndexPage page, int slot, Span<uint> used)
    {
        used.Clear();
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        AddUsed(page, slot, current, used);
        if (current.IsZero || !IsOnDisk(current))
            AddUsed(page, slot, BlockVersion.Durable(page.Bytes, slot), used);
    }

    /// <summary>A place of which nothing is taken, the lowest: raw files then lie in one run. -1: in each is some unit.</summary>
    private int FreePlace(IndexPage page, int slot)
    {
        Span<uint> used = stackalloc uint[PlaceCount];
        FindTaken(page, slot, used);
        return used.IndexOf(0U);
    }

    /// <summary>The lowest place in which a unit is free: of three, two versions can use two.</summary>
    private static int FreePlaceOf(int unit, ReadOnlySpan<uint> usedUnits)
    {
        for (int place = 0; place < PlaceCount; place++)
            if ((usedUnits[place] >> unit & 1) == 0)
                return place;
        throw new InvalidOperationException("two versions cannot use three places");
    }
}
