using System;
using System.Buffers;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Audit;

/// <summary>
/// The log of a volume, for who writes to it; several processes may. Invariants:
/// <list type="number">
/// <item>Records are appended under the log's lock, each tied to the one before; then the head in the store follows.</item>
/// <item>A writer that was killed between the two left whole records, which count, or half a line, on whose word nobody was answered.</item>
/// <item>A log that is shorter than the head says, or goes on otherwise, is never written to: it was cut or changed.</item>
/// </list>
/// Not thread-safe.
/// </summary>
public sealed class AuditLog : IDisposable
{
    internal const string SecretName = "audit";

    private const int MostPending = 65_536;

    private readonly string _storePath;
    private readonly bool _ownsConnection;
    private StoreConnection? _connection;
    private readonly SecretMemory _key;
    private readonly List<AuditEvent> _pending = [];
    private bool _isHeadBehind;

    private AuditLog(string storePath, StoreConnection? connection, SecretMemory key)
    {
        (_storePath, _connection, _ownsConnection, _key) = (storePath, connection, connection is null, key);
        FilesDirectory = AuditFiles.DirectoryOf(storePath);
    }

    /// <summary>A new file of the log is begun when one is as long as this.</summary>
    internal static long SegmentSize { get; set; } = 64 << 20;

    internal string FilesDirectory { get; }

    internal bool HasPending => _pending.Count > 0 || _isHeadBehind;

    /// <summary>So many records wait that no more should be provoked.</summary>
    internal bool IsFull => _pending.Count >= MostPending;

    internal ReadOnlySpan<byte> Key => _key.Bytes;

    private StoreConnection Store => _connection ??= StoreConnection.Open(_storePath);

    /// <summary>Null: the log was never on.</summary>
    /// <param name="hasOwnConnection">It outlives the volume, or is used by another thread.</param>
    public static AuditLog? TryOpen(UnlockedVolume volume, bool hasOwnConnection = false)
    {
        ArgumentNullException.ThrowIfNull(volume);
        if (!volume.IsCurrent())
            volume.Follow();
        SecretMemory key = new(VolumeSecrets.Size);
        try
        {
            if (VolumeSecrets.TryRead(volume, SecretName, key.Bytes, out _) && AuditHead.Read(volume.Store.Connection, key.Bytes) is not null)
                return new AuditLog(volume.Store.Path, hasOwnConnection ? null : volume.Store.Connection, key);
            key.Dispose();
            return null;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Is it on now? Asks the store.</summary>
    internal bool IsOn => ReadHead() is { IsOn: true };

    internal AuditHead? ReadHead() => AuditHead.Read(Store, _key.Bytes);

    /// <summary>Durable with the next <see cref="Flush"/>.</summary>
    internal void Add(AuditEvent what) => _pending.Add(what);

    /// <summary>What waits is forgotten: the log was switched off meanwhile.</summary>
    internal void Forget() => _pending.Clear();

    /// <summary>Everything that was added is on the disk when this returns. If it fails, it still waits.</summary>
    public void Flush() => Flush(head => head);

    /// <param name="change">What else is to become of the head.</param>
    internal void Flush(Func<AuditHead, AuditHead> change)
    {
        using IDisposable held = AuditFiles.Lock(FilesDirectory);
        AuditHead head = ReadHead() ?? throw StoreErrors.Damaged(_storePath, "what it said of the audit log is gone.");
        head = Append(head);
        AuditHead next = change(head);
        Store.InTransaction(() => next.Write(Store, _key.Bytes));
        _isHeadBehind = false;
    }

    /// <summary>Closes a connection of its own until it is needed again: a command may want the store for itself.</summary>
    internal void Release()
    {
        if (!_ownsConnection)
            return;
        _connection?.Dispose();
        _connection = null;
    }

    public void Dispose()
    {
        _key.Dispose();
        Release();
    }

    private AuditHead Append(AuditHead head)
    {
        while (true)
        {
            using AuditSegment segment = new(FilesDirectory, head.Segment);
            head = CatchUp(segment, head);
            if (head.Length >= SegmentSize)
            {
                head = head with { Segment = head.Segment + 1, Length = 0 };
                continue;
            }
            ArrayBufferWriter<byte> lines = new();
            byte[] chain = head.Chain;
            long sequence = head.Sequence;
            foreach (AuditEvent what in _pending)
                chain = AuditLine.Write(lines, ++sequence, what, _key.Bytes, chain);
            if (lines.WrittenCount > 0)
                segment.Write(lines.WrittenSpan, head.Length);
            _pending.Clear();
            _isHeadBehind = true;
            return head with { Sequence = sequence, Length = head.Length + lines.WrittenCount, Chain = chain };
        }
    }

    /// <summary>The head, with what other writers left behind it when they were killed.</summary>
    private AuditHead CatchUp(AuditSegment segment, AuditHead head)
    {
        long length = segment.Length;
        if (length < head.Length || !EndsWith(segment, head))
            throw Tampered(head);
        if (length == head.Length)
            return head;
        byte[] rest = segment.Read(head.Length, length - head.Length);
        int at = 0;
        while (rest.AsSpan(at).IndexOf((byte)'\n') is int end and >= 0)
        {
            byte[] chain = AuditLine.Check(rest.AsSpan(at, end + 1), _key.Bytes, head.Chain) ?? throw Tampered(head);
            head = head with { Sequence = head.Sequence + 1, Length = head.Length + end + 1, Chain = chain };
            at += end + 1;
        }
        if (at < rest.Length)
            segment.Cut(head.Length);
        return head;
    }

    private static bool EndsWith(AuditSegment segment, AuditHead head)
    {
        if (head.Length == 0)
            return true;
        const int Most = 4096;
        byte[] end = segment.Read(Math.Max(0, head.Length - Most), Math.Min(head.Length, Most));
        return AuditLine.ClaimedChain(end) is byte[] chain && Secret.Same(chain, head.Chain);
    }

    private VolumeException Tampered(AuditHead head) => new(VolumeError.StoreDamaged,
        $"The audit log {AuditFiles.PathOf(FilesDirectory, head.Segment)} was cut or changed: no keys are given while that is so. Look with 'overlay-ctl audit verify'; 'overlay-ctl audit enable --accept-loss' begins anew behind the gap.");
}
