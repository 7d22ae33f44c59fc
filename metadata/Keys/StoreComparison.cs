using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Keys;

/// <summary>What would be lost if a copy took the place of a store, or were used with the files as they are now.</summary>
internal sealed class StoreComparison
{
    /// <summary>Files of the volume of which the copy has no key.</summary>
    internal List<string> FilesWithoutKey { get; } = [];

    /// <summary>Files that have come further than the copy knows: an older copy of them would not be noticed.</summary>
    internal List<string> FilesAhead { get; } = [];

    /// <summary>Files whose keys were replaced since: of those that they have now the copy knows nothing.</summary>
    internal List<string> FilesRekeyed { get; } = [];

    /// <summary>Keys that the store has and the copy does not; some are of files that were deleted.</summary>
    internal long MissingKeys { get; private set; }

    /// <summary>Keys that were destroyed since; they are destroyed in the copy, too.</summary>
    internal List<(byte[] FileId, long When, string Path, string Certificate)> Shredded { get; private set; } = [];

    internal int KeyVersionNow { get; private set; }

    internal int KeyVersionInCopy { get; private set; }

    /// <summary>Slots of the copy that the store has not any more: whoever was locked out has a key again.</summary>
    internal List<KeySlotRow> RevivedSlots { get; private set; } = [];

    internal bool WouldRollBack => FilesWithoutKey.Count + FilesRekeyed.Count + FilesAhead.Count + RevivedSlots.Count > 0 || MissingKeys > 0 || KeyVersionInCopy < KeyVersionNow;

    /// <param name="current">Null: it is lost.</param>
    /// <param name="headers">Of the volume's sealed files: id, sequence, path.</param>
    internal static StoreComparison Make(MetadataStore copy, MetadataStore? current, IEnumerable<SealedHeader> headers)
    {
        StoreComparison result = new() { KeyVersionInCopy = copy.Volume.KeyVersion, KeyVersionNow = current?.Volume.KeyVersion ?? 0 };
        HashSet<UInt128> shredded = [];
        if (current is not null)
        {
            result.Shredded = ShredTable.ReadAll(current.Connection);
            shredded = result.Shredded.Select(row => Key(row.FileId)).ToHashSet();
            result.CompareStores(copy, current);
        }
        shredded.UnionWith(ShredTable.ReadAll(copy.Connection).Select(row => Key(row.FileId)));
        Dictionary<UInt128, FileRow> known = copy.ReadFiles().ToDictionary(row => Key(row.FileId.Span));
        HashSet<UInt128> withNext = NextKeyTable.ReadAll(copy.Connection).Select(next => Key(next.FileId)).ToHashSet();
        foreach (SealedHeader header in headers.Where(header => !shredded.Contains(Key(header.FileId))))
        {
            if (!known.TryGetValue(Key(header.FileId), out FileRow? row))
                result.FilesWithoutKey.Add(header.Path);
            else if (!header.IsOpenedBy(row.KeyEpoch, withNext.Contains(Key(header.FileId))) || current?.TryFindFile(header.FileId)?.KeyEpoch > NewestIn(row))
                result.FilesRekeyed.Add(header.Path);
            else if (header.Sequence > row.Sequence)
                result.FilesAhead.Add(header.Path);
        }
        return result;

        long NewestIn(FileRow row) => row.KeyEpoch + (withNext.Contains(Key(row.FileId.Span)) ? 1 : 0);
    }

    private void CompareStores(MetadataStore copy, MetadataStore current)
    {
        HashSet<UInt128> inCopy = copy.ReadFiles().Select(row => Key(row.FileId.Span)).ToHashSet();
        // Keys in stock belong to no file: an agent that ends removes them.
        MissingKeys = current.ReadFiles().Count(row => row.State != FileState.Pool && !inCopy.Contains(Key(row.FileId.Span)));
        IReadOnlyList<KeySlotRow> slots = current.ReadKeySlots();
        RevivedSlots = copy.ReadKeySlots().Where(old => !slots.Any(slot => slot.Salt.Span.SequenceEqual(old.Salt.Span))).ToList();
    }

    private static UInt128 Key(ReadOnlySpan<byte> fileId) => MemoryMarshal.Read<UInt128>(fileId);
}
