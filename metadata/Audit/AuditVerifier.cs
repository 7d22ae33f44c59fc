using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Audit;

/// <summary>Goes through a log and says where it is not what was written.</summary>
public sealed class AuditVerifier
{
    private readonly List<string> _findings = [];
    private readonly AuditLog _log;
    private readonly IReadOnlyList<string> _archives;
    private long _sequence;
    private byte[] _chain = new byte[AuditLine.ChainSize];

    /// <param name="archives">Directories with archived files.</param>
    public AuditVerifier(AuditLog log, IReadOnlyList<string> archives) => (_log, _archives) = (log, archives);

    public IReadOnlyList<string> Findings => _findings;

    public long Records { get; private set; }

    public long Files { get; private set; }

    public bool IsOn { get; private set; }

    public void Run()
    {
        // Before any file is read: what writers add meanwhile lies behind it.
        AuditHead head = _log.ReadHead()!;
        IsOn = head.IsOn;
        SortedDictionary<long, string> files = Collect(head);
        bool isFromStart = files.Count > 0 && files.First().Key == 1;
        if (!isFromStart)
            (_sequence, _chain) = (head.FirstBefore, head.FirstChain);
        if (head.Length > 0 && !files.ContainsKey(head.Segment))
            _findings.Add($"file {head.Segment}, the newest, is missing");
        byte[]? atHead = _sequence == head.Sequence ? _chain : null;
        long expected = isFromStart ? 1 : head.FirstSegment;
        foreach ((long number, string path) in files)
        {
            for (; expected < number; expected++)
                _findings.Add($"file {expected} is missing");
            expected = number + 1;
            ReadFile(number, path, head, ref atHead);
        }
        if (_sequence < head.Sequence)
            _findings.Add($"the end is missing: the last record is {_sequence}, and {head.Sequence} were written");
        else if (atHead is null || !Secret.Same(atHead, head.Chain))
            _findings.Add($"record {head.Sequence} is not the one that the store knows");
    }

    private SortedDictionary<long, string> Collect(AuditHead head)
    {
        SortedDictionary<long, string> files = [];
        foreach (string directory in _archives.Prepend(_log.FilesDirectory))
            foreach (long number in AuditFiles.List(directory))
                if (directory != _log.FilesDirectory || number >= head.FirstSegment)
                    files.TryAdd(number, AuditFiles.PathOf(directory, number));
        // Without the files before it the chain cannot be followed from an archived one.
        long first = files.Keys.DefaultIfEmpty(0).First();
        if (first > 1 && first < head.FirstSegment)
            _findings.Add($"files before {first} are missing from the archives given: what is archived was not checked");
        foreach (long number in files.Keys.Where(number => first > 1 && number < head.FirstSegment).ToList())
            files.Remove(number);
        return files;
    }

    private void ReadFile(long number, string path, AuditHead head, ref byte[]? atHead)
    {
        Files++;
        long line = 0;
        foreach (AuditRecord record in AuditReader.Read(path))
        {
            line++;
            if (!record.Line.Span.EndsWith("\n"u8) && number >= head.Segment && _sequence >= head.Sequence)
                return; // a writer is at it, or was killed: nobody was answered on its word
            Check(record, $"file {number}, line {line}");
            if (_sequence == head.Sequence)
                atHead = _chain;
        }
    }

    private void Check(AuditRecord record, string where)
    {
        Records++;
        byte[]? chain = AuditLine.Check(record.Line.Span, _log.Key, _chain);
        long sequence = record.Sequence;
        if (sequence > _sequence + 1)
            _findings.Add($"{where}: {(sequence == _sequence + 2 ? $"record {_sequence + 1} is" : $"records {_sequence + 1} to {sequence - 1} are")} missing");
        else if (chain is null)
            _findings.Add($"{where}: {(sequence == _sequence + 1 ? $"record {sequence} was changed, or one before it" : "a record was changed, put here or moved")}");
        else if (sequence != _sequence + 1)
            _findings.Add($"{where}: its number is {sequence}, not {_sequence + 1}");
        // Go on from what is there, so that one change is one finding.
        _sequence = Math.Max(_sequence, sequence);
        _chain = chain ?? record.Chain ?? _chain;
    }
}
