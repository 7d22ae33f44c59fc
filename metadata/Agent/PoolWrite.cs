using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Threading;
using Overlay.Crypto;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>One transaction of a key pool: new keys, if any, and what was noted. Here, or on a thread of its own.</summary>
internal sealed class PoolWrite(int keys, PoolNotes notes, long mostSeals)
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private Thread? _thread;
    private ExceptionDispatchInfo? _failure;

    internal PoolNotes Notes => notes;

    internal List<KeyChunk> Chunks { get; } = [];

    /// <summary>Files whose keys were found to have sealed too often.</summary>
    internal List<byte[]> Worn { get; } = [];

    internal bool IsDone => _thread is null || !_thread.IsAlive;

    internal TimeSpan Took { get; private set; }

    /// <param name="volume">Used by nobody else until <see cref="Finish"/>.</param>
    internal void Begin(UnlockedVolume volume)
    {
        const int StackSize = 512 << 10;
        Thread thread = new(() => Try(volume), StackSize) { IsBackground = true, Name = "store" };
        try
        {
            thread.Start();
            _thread = thread;
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            Try(volume); // as many threads as are allowed are there: somebody has to wait then
        }
    }

    internal void Wait() => _thread?.Join();

    /// <summary>Waits for what was begun. What went wrong goes wrong here.</summary>
    internal void Finish()
    {
        Wait();
        _failure?.Throw();
    }

    private void Try(UnlockedVolume volume)
    {
        try
        {
            Run(volume);
        }
        catch (Exception e)
        {
            _failure = ExceptionDispatchInfo.Capture(e);
        }
    }

    internal void Run(UnlockedVolume volume)
    {
        try
        {
            Span<byte> prefix = stackalloc byte[KeyChunk.PrefixSize];
            NonceSource.Fill(prefix);
            for (int left = keys; left > 0; left -= KeyChunk.MostKeys)
                Chunks.Add(new KeyChunk(Math.Min(left, KeyChunk.MostKeys), prefix));
            while (!TryWrite(volume))
                volume.Follow();
            Took = Stopwatch.GetElapsedTime(_started);
        }
        catch
        {
            Chunks.ForEach(chunk => chunk.Dispose());
            Chunks.Clear();
            throw;
        }
    }

    /// <summary>False: the volume key was changed, and is not ours any more.</summary>
    private bool TryWrite(UnlockedVolume volume)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        bool isCurrent = false;
        volume.Store.Connection.InTransaction(() =>
        {
            Worn.Clear();
            // Under the write lock: nobody can change the volume key behind this.
            isCurrent = Chunks.Count == 0 || volume.IsCurrent();
            if (!isCurrent)
                return;
            Chunks.ForEach(chunk => chunk.Insert(volume, now));
            notes.Write(volume.Store.Files, mostSeals, Worn);
        });
        return isCurrent;
    }
}
