using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>
/// The first writes of parts of a block that is whole: what they do not touch stays where it is, as the base of the new version (format §6, Base).
/// </summary>
/// <remarks>
/// Of a block's three places a base and a unit beside it take two where that unit is. So while a version with a base is current, the durable one is that base, or stands on it, or
/// there is none. If it stands on it, too, its unit and the current one leave no place for a third: then that is made durable first, and the base is given up (<see cref="FreePlaces"/>).
/// </remarks>
public sealed partial class SealedFile
{
    private BlockVersion BaseOf(BlockVersion version, UnitTable table, Span<byte> record)
    {
        table.CopyBaseTo(_units.Count, _key.TagSize, version.DescriptionBehind(_key.TagSize), record);
        return BlockVersion.Of(record);
    }

    /// <summary>All of the block as its base is; the version's table was proven.</summary>
    private bool TryOpenBase(BlockVersion version, IndexPage page, int slot, long block, DataKey key, Span<byte> plain)
    {
        Span<byte> record = stackalloc byte[VersionSize];
        BlockVersion old = BaseOf(version, TableOf(page, slot, version.Place), record);
        if (old.IsInUnits || old.IsOdd != version.IsOdd || !old.IsSane(_geometry.BlockSize, mayBeInline: false) || plain.Length != _geometry.BlockSize ||
            !TryOpenWhole(old, page, slot, block, key, plain, out int length))
            return false;
        plain[length..].Clear();
        return true;
    }

    private bool HasBase(IndexPage page, int slot, BlockVersion version) =>
        !version.IsZero && HasTable(page, slot, version) && TableOf(page, slot, version.Place).HasBase;

    /// <summary>
    /// Can the next version stand on the current one, of an entry that was resolved? A file that is synced now and then gains little, and would have to be synced in
    /// between, once for each such block that is written often.
    /// </summary>
    private bool CanBeBase(BlockVersion current, BlockVersion durable, int oldLength) =>
        !current.IsInUnits && current.IsOdd == _key.IsOdd && current.IsSane(_geometry.BlockSize, mayBeInline: false) && oldLength == _geometry.BlockSize &&
        (durable.IsZero || IsOnDisk(current)) && (_context.IsBaseAlwaysKept || !WasSyncedInThisBoot);

    /// <summary>Can units of the current version, which has a base, be replaced one by one?</summary>
    private bool GoesOnWithBase(int oldLength) => oldLength == _geometry.BlockSize && !_hasFreedPlaces;

    private bool WasSyncedInThisBoot => HasDurableState && _header.DurableInterval + 1 == _header.SyncInterval;

    /// <summary>Since the group was begun: who keeps a base where places were short would have to do it again with the next write but one.</summary>
    private bool _hasFreedPlaces;

    /// <summary>
    /// Before anything of a group is changed: where the durable version has a base and the current one is not it, some unit may have no place left. A sync gives
    /// them back.
    /// </summary>
    private void FreePlaces(IndexPage page, int slot)
    {
        BlockVersion durable = BlockVersion.Durable(page.Bytes, slot);
        if (!durable.IsInUnits || IsOnDisk(BlockVersion.Current(page.Bytes, slot)) || !HasBase(page, slot, durable))
            return;
        Span<uint> used = stackalloc uint[PlaceCount];
        FindTaken(page, slot, used);
        if ((used[0] & used[1] & used[2]) == 0)
            return;
        MakeEverythingDurable();
        _hasFreedPlaces = true;
    }

    /// <returns>So many bytes of the base's record have no room in the table: they follow the version's tag.</returns>
    private int PutBase(UnitTable table, ReadOnlySpan<byte> record)
    {
        int behind = VersionSize - UnitTable.TagOffset - _key.TagSize;
        table.PutBase(_units.Count, _key.TagSize, record, isDescribed: behind == 0);
        return table.HasBase ? behind : 0;
    }

    /// <summary>Which places lose something, as far as it was not noted before, when these units of a version with a base get other ones.</summary>
    private static uint PlacesOf(UnitTable table, uint units)
    {
        uint places = 0;
        for (int unit = 0; units >> unit != 0; unit++)
            if ((units >> unit & 1) != 0 && !table.IsInBase(unit))
                places |= 1U << table.PlaceOf(unit);
        return places;
    }
}
