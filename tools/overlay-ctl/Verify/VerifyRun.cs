using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Overlay.Files;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Verify;

/// <summary>Looks at a whole volume, some files at a time.</summary>
internal sealed class VerifyRun(RawVolume volume, int jobs)
{
    private readonly ConcurrentQueue<Finding> _findings = new();
    private readonly ConcurrentDictionary<UInt128, ConcurrentBag<string>> _pathsById = new();
    private readonly Dictionary<UInt128, FileRow> _rows = [];
    private readonly ConcurrentBag<(byte[] FileId, ulong Sequence)> _sequences = [];
    private long _files, _blocks, _plainBytes, _storedBytes, _staleBytes, _damagedFiles;

    /// <summary>Files done so far, of how many.</summary>
    internal (long Done, long All) Progress => (Interlocked.Read(ref _files), _all);

    private long _all;

    internal long Files => _files;

    internal long Blocks => _blocks;

    internal long PlainBytes => _plainBytes;

    internal long StoredBytes => _storedBytes;

    internal long StaleBytes => _staleBytes;

    internal long DamagedFiles => _damagedFiles;

    internal List<Finding> Findings => [.. _findings
        .OrderByDescending(finding => finding.Weight).ThenBy(finding => finding.Path, StringComparer.Ordinal)
        .ThenBy(finding => finding.Kind.Name, StringComparer.Ordinal).ThenBy(finding => finding.Offset)];

    internal void Run()
    {
        if (!volume.IsShared)
            _findings.Enqueue(new Finding(Kind.NoLocks, "", "the volume's locks cannot be opened: a file that is being written may look damaged"));
        // Before any file is looked at: what the store learns meanwhile must not make a file look old.
        foreach (FileRow row in volume.Unlocked.Store.ReadFiles())
            _rows[Key(row.FileId.Span)] = row;
        VolumeWalk walk = new(volume.Unlocked.Root, _findings.Enqueue);
        walk.Run();
        _all = walk.Files.Count;
        Parallel.ForEach(Partitioner.Create(walk.Files, EnumerablePartitionerOptions.NoBuffering),
            new ParallelOptions { MaxDegreeOfParallelism = jobs }, Check);
        CompareWithStore();
        // What is here now must not be replaced by something older unnoticed; a store that cannot be written just knows less.
        if (!_sequences.IsEmpty)
            TryRemember();
    }

    private void TryRemember()
    {
        try
        {
            volume.Unlocked.RaiseSequences(_sequences, volume.BootWord);
        }
        catch (VolumeException exception)
        {
            _findings.Enqueue(new Finding(Kind.NotRemembered, "", exception.Message));
        }
    }

    private void Check(string path)
    {
        FileCheck check = new(volume, path, _findings.Enqueue);
        check.Run();
        if (check.FileId is byte[] known && check.Survey is FileSurvey { DamagedBlocks: 0 } sound)
            CheckSequence(path, known, sound);
        if (check.FileId is byte[] id)
            _pathsById.GetOrAdd(Key(id), _ => []).Add(VolumeWalk.Relative(volume.Unlocked.Root, path));
        if (check.Survey is FileSurvey survey)
        {
            Interlocked.Add(ref _blocks, survey.Blocks);
            Interlocked.Add(ref _plainBytes, survey.PlainBytes);
            Interlocked.Add(ref _storedBytes, survey.StoredBytes);
        }
        Interlocked.Add(ref _staleBytes, check.StaleBytes);
        Interlocked.Add(ref _damagedFiles, check.IsDamaged ? 1 : 0);
        Interlocked.Increment(ref _files);
    }

    /// <summary>A header that has been written more often than this one was is known: this is an older copy of the file.</summary>
    private void CheckSequence(string path, byte[] id, FileSurvey survey)
    {
        if (!_rows.TryGetValue(Key(id), out FileRow? row) || survey.Sequence >= row.Sequence)
        {
            _sequences.Add((id, survey.Sequence));
            return;
        }
        string orPowerLoss = row.BootWord != volume.BootWord ? ", or unsynced data was lost with the power" : "";
        _findings.Enqueue(new Finding(Kind.RolledBackFile, VolumeWalk.Relative(volume.Unlocked.Root, path),
            $"the store knows a newer state of it (sequence {row.Sequence}, here {survey.Sequence}){orPowerLoss}"));
    }

    /// <summary>Rows of which no file is left; keys in stock and those a program never used are no matter.</summary>
    private void CompareWithStore()
    {
        foreach ((UInt128 key, FileRow row) in _rows)
        {
            if (row.State == FileState.Live && !_pathsById.ContainsKey(key))
                _findings.Enqueue(new Finding(Kind.KeyWithoutFile, row.Path, $"there is a key, but no file with the id {Convert.ToHexStringLower(row.FileId.Span)}"));
        }
        foreach ((UInt128 key, ConcurrentBag<string> paths) in _pathsById.Where(entry => entry.Value.Count > 1))
            TellCopies([.. paths.Order(StringComparer.Ordinal)], _rows.GetValueOrDefault(key)?.Path);
    }

    /// <summary>One id, and so one key, in several files: the one whose path the store knows is taken for the first.</summary>
    private void TellCopies(List<string> paths, string? known)
    {
        string first = known is not null && paths.Contains(known) ? known : paths[0];
        foreach (string copy in paths.Where(path => path != first))
            _findings.Enqueue(new Finding(Kind.SameId, copy, $"it has the id, and so the key, of {first}"));
    }

    private static UInt128 Key(ReadOnlySpan<byte> fileId) => System.Runtime.InteropServices.MemoryMarshal.Read<UInt128>(fileId);
}
