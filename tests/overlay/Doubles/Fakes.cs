using System;
using System.Collections.Concurrent;
using System.Threading;
using Overlay.Files;

namespace Overlay.Tests.Doubles;

/// <summary>A lock that is not re-entrant and knows whether it is held.</summary>
public sealed class CountingLock : IFileLock
{
    private int _held;

    public int Entries { get; private set; }

    public bool IsHeld => Volatile.Read(ref _held) != 0;

    public void Enter()
    {
        long start = Environment.TickCount64;
        while (Interlocked.CompareExchange(ref _held, 1, 0) != 0)
        {
            if (Environment.TickCount64 - start > 20_000)
                throw new InvalidOperationException("the lock was entered twice, or never left");
            Thread.Yield();
        }
        Entries++;
    }

    public bool TryEnter()
    {
        bool isFree = Interlocked.CompareExchange(ref _held, 1, 0) == 0;
        Entries += isFree ? 1 : 0;
        return isFree;
    }

    public void Exit()
    {
        if (Interlocked.Exchange(ref _held, 0) == 0)
            throw new InvalidOperationException("the lock was left without being held");
    }
}

/// <summary>The coherence word of format §8.</summary>
public sealed class CountingCoherence : ICoherence
{
    private long _word;

    public ulong Word => (ulong)Volatile.Read(ref _word);

    public bool HasWriters => (Word & 0xFFFF) != 0;

    public void BeginWrite() => Interlocked.Add(ref _word, 1);

    public void EndWrite() => Interlocked.Add(ref _word, 65535);

    public void ForgetKilled()
    {
        if (HasWriters)
            _word = (_word | 0xFFFF) + 1;
    }
}

public sealed class ListLog : IFaultLog
{
    private readonly ConcurrentQueue<string> _lines = new();

    public string[] Lines => [.. _lines];

    public void Write(string cause) => _lines.Enqueue(cause);
}

/// <summary>One key for every file, or none.</summary>
public sealed class FixedKeys(byte[]? known) : IKeySource
{
    public bool TryGetKey(ReadOnlySpan<byte> fileId, Span<byte> key)
    {
        known?.CopyTo(key);
        return known is not null;
    }
}
