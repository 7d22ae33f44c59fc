using System;
using System.Collections.Generic;
using System.Threading;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Policy;

namespace Overlay.Metadata.Protocol;

/// <summary>
/// A program's connection to its agent. Lives inside programs that know nothing of it: raw system calls, no thread, no
/// signal (SIGPIPE), no descriptor that survives exec. Calls wait for their answer, one at a time;
/// every failure is an <see cref="ErrnoException"/>: ETIMEDOUT after <see cref="TimeoutMilliseconds"/>, ECONNRESET or
/// EPIPE when the agent is gone, EPROTO when it talks nonsense. The messages: <see cref="AgentMessage"/>.
/// </summary>
public sealed class AgentClient : IDisposable
{
    public const int DefaultTimeoutMilliseconds = 30_000;

    /// <summary>A process that does not count.</summary>
    public const int NoCounters = -1;

    private readonly Lock _oneCallAtATime = new();
    // Requests and replies go through it; replies hold keys, so it is wiped after each call.
    private readonly SecretMemory _buffer;
    private int _descriptor;
    private uint _lastRequest;
    private int _lent = -1;
    private int _agentProcessId;
    private ushort _version;

    /// <summary>Who gets the keys that were asked for ahead, in the order of the answers.</summary>
    private readonly Queue<(uint Request, KeyTaker Take)> _more = new();

    private AgentClient(int descriptor, int timeoutMilliseconds)
    {
        _descriptor = descriptor;
        TimeoutMilliseconds = timeoutMilliseconds;
        _buffer = new SecretMemory(AgentMessage.MaxPacket);
    }

    /// <summary>The socket. Ours: close-on-exec, and not to be closed by the program.</summary>
    public int Descriptor => _descriptor;

    public int TimeoutMilliseconds { get; }

    /// <summary>Connects and agrees on the protocol. EPERM: the agent does not serve this process.</summary>
    public static AgentClient Connect(string socketPath, int timeoutMilliseconds = DefaultTimeoutMilliseconds)
    {
        int descriptor = ClientSocket.Connect(socketPath, timeoutMilliseconds);
        AgentClient client = new(descriptor, timeoutMilliseconds);
        try
        {
            client.SayHello();
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>
    /// In a forked child: a connection of its own, in place of the one it shares with its parent. Uses nothing of
    /// <paramref name="inherited"/> but its descriptor (its lock may be held by a thread that the child does not have) and,
    /// when all went well, disposes of it in this process. Nothing is awaited from the agent.
    /// </summary>
    /// <param name="slot">Where it counts in the table that the inherited connection shared, or <see cref="NoCounters"/>.</param>
    public static AgentClient Adopt(AgentClient inherited, int slot = NoCounters)
    {
        ArgumentNullException.ThrowIfNull(inherited);
        int descriptor = ClientSocket.MakePairOver(inherited._descriptor, inherited.TimeoutMilliseconds, slot);
        AgentClient client = new(descriptor, inherited.TimeoutMilliseconds) { _agentProcessId = inherited._agentProcessId, _version = inherited._version };
        inherited.Dispose();
        return client;
    }

    /// <summary>
    /// Moves the socket to the number <paramref name="newDescriptor"/>, replacing whatever is open there, out of the
    /// program's way.
    /// </summary>
    public void MoveDescriptor(int newDescriptor)
    {
        lock (_oneCallAtATime)
        {
            if (newDescriptor == _descriptor)
                return;
            if (FileCalls.Duplicate(_descriptor, newDescriptor, FileCalls.CloseOnExec) < 0)
                throw Errno.Failure("moving the agent's connection");
            _ = FileCalls.Close(_descriptor);
            _descriptor = newDescriptor;
        }
    }

    /// <summary>What the agent grants for the volume at this path. ENOENT: it does not serve it, or there is none.</summary>
    public unsafe VolumeGrant Attach(string volumeRoot)
    {
        ArgumentNullException.ThrowIfNull(volumeRoot);
        FileStatus status;
        if (FileCalls.Stat(FileCalls.CurrentDirectory, volumeRoot, 0, FileCalls.StatBasic, &status) < 0)
            throw Errno.Failure($"looking up {volumeRoot}");
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.Attach);
            request.UInt64(status.Device);
            request.UInt64(status.Inode);
            if (!request.TryText(volumeRoot))
                throw Errno.Failure(Errno.NameTooLong, "attaching a volume");
            PacketReader reply = Call(request, out int failure);
            if (failure != 0)
                throw Errno.Failure(failure, $"attaching {volumeRoot}");
            byte[] volumeId = reply.Bytes(AgentMessage.VolumeIdSize).ToArray();
            CipherSuite suite = (CipherSuite)reply.Byte();
            bool compress = reply.Byte() != 0;
            int blockSizeLog2 = reply.Byte();
            bool seesCiphertext = reply.Byte() == AgentMessage.ViewCiphertext;
            Expect(reply.IsComplete);
            return new VolumeGrant(volumeId, suite, compress, blockSizeLog2, seesCiphertext);
        }
    }

    /// <summary>The key of a file. False: the store has no such key, the file cannot be read by anyone.</summary>
    public bool TryGetKey(ReadOnlySpan<byte> volumeId, ReadOnlySpan<byte> fileId, Span<byte> key32)
    {
        byte[] answer = GC.AllocateUninitializedArray<byte>(AgentMessage.KeySize, pinned: true);
        bool isKnown = TryGetKeys(volumeId, fileId, 1, (_, key) => key.CopyTo(answer));
        if (isKnown)
            answer.CopyTo(key32);
        Secret.Wipe(answer);
        return isKnown;
    }

    /// <summary>Has the store a key of that file? Whoever may not have it is told as well.</summary>
    public bool HasKey(ReadOnlySpan<byte> volumeId, ReadOnlySpan<byte> fileId)
    {
        CheckIds(volumeId, fileId);
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.GetKeys);
            request.Bytes(volumeId);
            request.Bytes(fileId);
            request.UInt16(AgentMessage.IsThereAKey);
            PacketReader reply = Call(request, out int failure);
            if (failure == Errno.NoEntry)
                return false;
            if (failure != 0)
                throw Errno.Failure(failure, "asking whether there is a file's key");
            Expect(reply.UInt16() == 0 && reply.IsComplete);
            return true;
        }
    }

    /// <summary>
    /// The key of a file, and those of files that were made about the same time, which are likely to be read next; at most
    /// <paramref name="most"/>, the file's own first. 0: those of the file alone, two while it is given another. False: the store has no such key.
    /// EDESTADDRREQ: the file's descriptor is needed, because of a policy, which answers EKEYREJECTED if it does not allow it.
    /// </summary>
    /// <param name="file">A descriptor of it that can be read, or -1.</param>
    public bool TryGetKeys(ReadOnlySpan<byte> volumeId, ReadOnlySpan<byte> fileId, int most, KeyTaker take, int file = -1)
    {
        ArgumentNullException.ThrowIfNull(take);
        CheckIds(volumeId, fileId);
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.GetKeys);
            request.Bytes(volumeId);
            request.Bytes(fileId);
            request.UInt16((ushort)Math.Min(most, AgentMessage.MaxKeysPerRequest));
            try
            {
                PacketReader reply = Call(request, out int failure, file);
                if (failure == Errno.NoEntry)
                    return false;
                if (failure != 0)
                    throw Errno.Failure(failure, "asking for files' keys");
                int count = reply.UInt16();
                bool wantsAll = most == 0;
                Expect(count >= 1 && count <= (wantsAll ? 2 : most));
                for (int i = 0; i < count; i++)
                {
                    ReadOnlySpan<byte> id = reply.Bytes(AgentMessage.FileIdSize), key = reply.Bytes(AgentMessage.KeySize);
                    Expect(!key.IsEmpty && ((i > 0 && !wantsAll) || id.SequenceEqual(fileId)));
                    take(id, key);
                }
                Expect(reply.IsComplete);
                return true;
            }
            finally
            {
                Secret.Wipe(_buffer.Bytes);
            }
        }
    }

    /// <summary>How often more was asked for ahead that has not been taken.</summary>
    public int MoreUnderWay => _more.Count;

    /// <summary>
    /// Asks for the keys of files that may be wanted next, without waiting: <paramref name="take"/> gets them in a later call, from whichever thread makes
    /// that. Nothing is asked where the agent has too much to read, or is too old to answer.
    /// </summary>
    public void AskForMore(ReadOnlySpan<byte> volumeId, int most, KeyTaker take)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(volumeId.Length, AgentMessage.VolumeIdSize);
        if (_version < AgentMessage.VersionWithMoreKeys)
            return;
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.MoreKeys);
            request.Bytes(volumeId);
            request.UInt16((ushort)Math.Min(most, AgentMessage.MaxKeysPerRequest));
            int error = PacketSocket.Send(_descriptor, _buffer.Bytes[..request.Length], SocketCalls.DoNotWait);
            if (error == Errno.TryAgain)
                return;
            if (error != 0)
                throw Errno.Failure(error, "writing to the agent");
            _more.Enqueue((_lastRequest, take));
        }
    }

    /// <summary>Takes the next answer to what was asked for ahead, and waits for it if need be. False: nothing was asked for.</summary>
    public bool TakeMore(out bool hasWaited)
    {
        hasWaited = false;
        lock (_oneCallAtATime)
        {
            int underWay = _more.Count;
            if (underWay == 0)
                return false;
            long deadline = Environment.TickCount64 + TimeoutMilliseconds;
            while (_more.Count == underWay)
            {
                PacketSocket.CloseIfOpen(ref _lent);
                int length = PacketSocket.Receive(_descriptor, _buffer.Bytes, out _lent);
                if (length <= 0)
                {
                    hasWaited = true;
                    length = ClientSocket.Receive(_descriptor, _buffer.Bytes, deadline, out _lent);
                }
                TakeIfMore(Read(length));
            }
            return true;
        }
    }

    /// <summary>Keys for files to come, at most <paramref name="count"/>; their rows are durable.</summary>
    /// <returns>How many entries of <paramref name="keys"/> were filled, at least 1.</returns>
    public int TakeNewKeys(ReadOnlySpan<byte> volumeId, int count, Span<GrantedKey> keys)
    {
        CheckIds(volumeId, volumeId);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, keys.Length);
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.TakeNewKeys);
            request.Bytes(volumeId);
            request.UInt16((ushort)Math.Min(count, AgentMessage.MaxKeysPerRequest));
            try
            {
                PacketReader reply = Call(request, out int failure);
                if (failure != 0)
                    throw Errno.Failure(failure, "asking for keys for new files");
                int granted = reply.UInt16();
                Expect(granted >= 1 && granted <= count);
                for (int i = 0; i < granted; i++)
                    keys[i] = TakeKey(ref reply);
                Expect(reply.IsComplete);
                return granted;
            }
            finally
            {
                Secret.Wipe(_buffer.Bytes);
            }
        }
    }

    /// <summary>A key for the new file behind a descriptor, and how that is to be stored. EKEYREJECTED: a policy does not allow it.</summary>
    public GrantedKey TakeNewKey(ReadOnlySpan<byte> volumeId, int file, out FileSettings settings)
    {
        CheckIds(volumeId, volumeId);
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.TakeNewKeys);
            request.Bytes(volumeId);
            request.UInt16(1);
            try
            {
                PacketReader reply = Call(request, out int failure, file);
                if (failure != 0)
                    throw Errno.Failure(failure, "asking for a key for a new file");
                Expect(reply.UInt16() == 1);
                GrantedKey granted = TakeKey(ref reply);
                byte suite = reply.Byte();
                settings = new FileSettings((CipherSuite)suite, reply.Byte() != 0, reply.Byte());
                _ = reply.Byte();
                Expect(reply.IsComplete && CipherSuites.IsKnown(suite) && settings.BlockSizeLog2 is >= 12 and <= 20);
                return granted;
            }
            finally
            {
                Secret.Wipe(_buffer.Bytes);
            }
        }
    }

    /// <summary>
    /// Tells the agent that files with these ids now exist, and where (relative to the volume's root). One way: nothing is
    /// awaited, and a path too long to send is sent as "".
    /// </summary>
    public void NoteCreated(ReadOnlySpan<byte> volumeId, ReadOnlySpan<(byte[] FileId, string Path)> files)
    {
        CheckIds(volumeId, volumeId);
        lock (_oneCallAtATime)
        {
            for (int i = 0; i < files.Length;)
            {
                PacketWriter notes = Begin(AgentMessage.NoteCreated);
                notes.Bytes(volumeId);
                for (; i < files.Length && notes.Length <= AgentMessage.MaxPacket - AgentMessage.MaxText - 2 * AgentMessage.FileIdSize; i++)
                {
                    notes.Bytes(files[i].FileId);
                    if (!notes.TryText(files[i].Path))
                        _ = notes.TryText("");
                }
                ClientSocket.Send(_descriptor, _buffer.Bytes[..notes.Length]);
            }
        }
    }

    /// <summary>Tells the agent how far files have come, and how often their keys were used for it. One way; at most <see cref="AgentMessage.MaxStates"/> of them.</summary>
    /// <param name="bootWord">Of this boot (format §7).</param>
    public void NoteStates(ReadOnlySpan<byte> volumeId, uint bootWord, ReadOnlySpan<FileSequence> states)
    {
        CheckIds(volumeId, volumeId);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(states.Length, AgentMessage.MaxStates);
        lock (_oneCallAtATime)
        {
            PacketWriter note = Begin(AgentMessage.NoteUses);
            note.Bytes(volumeId);
            note.UInt32(bootWord);
            note.UInt16((ushort)states.Length);
            foreach (FileSequence state in states)
            {
                note.Bytes(state.FileId);
                note.UInt64(state.Sequence);
                note.UInt32(state.Seals);
            }
            ClientSocket.Send(_descriptor, _buffer.Bytes[..note.Length]);
        }
    }

    /// <summary>
    /// A descriptor of the volume's lock file or coherence table (a description of its own, close-on-exec), for a process that
    /// may not open it itself. The caller's to close.
    /// </summary>
    public int Borrow(ReadOnlySpan<byte> volumeId, bool isCoherence)
    {
        CheckIds(volumeId, volumeId);
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.Lend);
            request.Bytes(volumeId);
            request.Byte(isCoherence ? AgentMessage.LendCoherence : AgentMessage.LendLocks);
            PacketReader reply = Call(request, out int failure);
            if (failure != 0)
                throw Errno.Failure(failure, "borrowing a volume's file from the agent");
            Expect(reply.IsComplete && _lent >= 0);
            int descriptor = _lent;
            _lent = -1;
            return descriptor;
        }
    }

    /// <summary>
    /// A descriptor of the page file of the inode behind <paramref name="backing"/>, close-on-exec and the caller's to close; see
    /// <see cref="PageFileLayout"/>. Or a negative errno: ENOENT, there is none and none was to be made; EREMOTE, ask the agent
    /// at the socket <paramref name="elsewhere"/>; EACCES, this user may not fill it; EBUSY, those who map it must offer it.
    /// </summary>
    /// <param name="ownAgent">This process's own agent, if this is another one; else "".</param>
    public int OpenPages(ReadOnlySpan<byte> volumeId, ReadOnlySpan<byte> fileId, PageUse use, int backing, string ownAgent, out string elsewhere)
    {
        CheckIds(volumeId, fileId);
        lock (_oneCallAtATime)
        {
            elsewhere = "";
            int failure = AskPages(volumeId, fileId, (byte)use, backing, ownAgent, out PacketReader reply);
            if (failure != 0)
                return -failure;
            elsewhere = reply.Text();
            Expect(reply.IsComplete && _lent >= 0 == (elsewhere.Length == 0));
            if (elsewhere.Length > 0)
                return -Errno.Remote;
            int descriptor = _lent;
            _lent = -1;
            return descriptor;
        }
    }

    /// <summary>Like <see cref="PageUse.View"/>, with a page file that the agent takes over if it has none.</summary>
    public int OfferPages(
        ReadOnlySpan<byte> volumeId, ReadOnlySpan<byte> fileId, int pages, int backing, string ownAgent, out string elsewhere)
    {
        CheckIds(volumeId, fileId);
        elsewhere = "";
        lock (_oneCallAtATime)
        {
            int failure = AskPages(volumeId, fileId, AgentMessage.PagesOffer, pages, ownAgent, out _);
            if (failure != 0)
                return -failure;
        }
        return OpenPages(volumeId, fileId, PageUse.View, backing, ownAgent, out elsewhere);
    }

    /// <summary>
    /// A descriptor for reading and writing (close-on-exec, a description of its own) of the file behind one that may write, for a
    /// process that may not open it so itself. The caller's to close.
    /// </summary>
    public int Reopen(ReadOnlySpan<byte> volumeId, int descriptor)
    {
        CheckIds(volumeId, volumeId);
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.Reopen);
            request.Bytes(volumeId);
            ClientSocket.SendWithDescriptor(_descriptor, _buffer.Bytes[..request.Length], descriptor);
            PacketReader reply = Await(AgentMessage.Reopen, _lastRequest, out int failure);
            if (failure != 0)
                throw Errno.Failure(failure, "the agent could not open the file either");
            Expect(reply.IsComplete && _lent >= 0);
            int opened = _lent;
            _lent = -1;
            return opened;
        }
    }

    /// <summary>What the agent says of itself.</summary>
    public AgentStatus GetStatus()
    {
        lock (_oneCallAtATime)
        {
            PacketReader reply = Call(Begin(AgentMessage.Status), out int failure);
            if (failure != 0)
                throw Errno.Failure(failure, "asking for the agent's status");
            TimeSpan uptime = TimeSpan.FromMilliseconds((long)reply.UInt64());
            long found = (long)reply.UInt64();
            long handedOut = (long)reply.UInt64();
            int connections = (int)reply.UInt32();
            int count = reply.UInt16();
            List<AgentVolumeStatus> volumes = new();
            for (int i = 0; i < count; i++)
            {
                byte[] volumeId = reply.Bytes(AgentMessage.VolumeIdSize).ToArray();
                int pooledKeys = (int)reply.UInt32();
                volumes.Add(new AgentVolumeStatus(volumeId, reply.Text(), pooledKeys));
            }
            Expect(reply.IsComplete);
            return new AgentStatus(_agentProcessId, uptime, found, handedOut, connections, volumes);
        }
    }

    /// <summary>Who is connected, with what they counted.</summary>
    public ProcessList GetProcesses()
    {
        List<ProcessStatus> processes = [];
        CounterValues ended = default;
        lock (_oneCallAtATime)
        {
            for (int total = 1; processes.Count < total;)
            {
                PacketWriter request = Begin(AgentMessage.Processes);
                request.UInt32((uint)processes.Count);
                PacketReader reply = Call(request, out int failure);
                if (failure != 0)
                    throw Errno.Failure(failure, "asking for the agent's processes");
                ReadCounters(ref reply, ref ended);
                total = (int)reply.UInt32();
                int count = reply.UInt16();
                for (int i = 0; i < count; i++)
                    processes.Add(ReadProcess(ref reply));
                Expect(reply.IsComplete);
                if (count == 0)
                    break; // some have gone meanwhile
            }
        }
        return new ProcessList(ended, processes);
    }

    private static ProcessStatus ReadProcess(ref PacketReader reply)
    {
        int processId = (int)reply.UInt32();
        uint userId = reply.UInt32();
        bool isCounted = reply.Byte() != 0;
        CounterValues counters = default;
        ReadCounters(ref reply, ref counters);
        return new ProcessStatus(processId, userId, isCounted, counters);
    }

    private static void ReadCounters(ref PacketReader reply, ref CounterValues counters)
    {
        for (int i = 0; i < CounterValues.Length; i++)
            counters[i] = reply.UInt64();
    }

    /// <summary>Lets the agent read what this process counts (<see cref="CounterSlots"/>). One way.</summary>
    public void ShareCounters(int descriptor)
    {
        lock (_oneCallAtATime)
            ClientSocket.SendWithDescriptor(_descriptor, _buffer.Bytes[..Begin(AgentMessage.Counters).Length], descriptor);
    }

    /// <summary>Closes this process's descriptor. Takes no lock: it must work in a forked child.</summary>
    public void Dispose()
    {
        PacketSocket.CloseIfOpen(ref _lent);
        PacketSocket.CloseIfOpen(ref _descriptor);
        _buffer.Dispose();
    }

    private void SayHello()
    {
        PacketWriter hello = new(_buffer.Bytes, AgentMessage.Hello, 0, 0);
        hello.UInt32(AgentMessage.Magic);
        hello.UInt16(AgentMessage.OldestVersion);
        hello.UInt16(AgentMessage.Version);
        // An agent that refuses us may have answered and hung up before we spoke.
        int sent = PacketSocket.Send(_descriptor, _buffer.Bytes[..hello.Length], 0);
        if (sent is not (0 or Errno.BrokenPipe))
            throw Errno.Failure(sent, "greeting the agent");
        PacketReader reply = Await(AgentMessage.Hello, 0, out int failure);
        if (failure != 0)
            throw Errno.Failure(failure, "the agent refuses this process");
        _version = reply.UInt16();
        Expect(_version is >= AgentMessage.OldestVersion and <= AgentMessage.Version);
        _ = reply.UInt16();
        _agentProcessId = (int)reply.UInt32();
        Expect(reply.IsComplete);
    }

    private int AskPages(
        ReadOnlySpan<byte> volumeId, ReadOnlySpan<byte> fileId, byte how, int descriptor, string ownAgent, out PacketReader reply)
    {
        PacketWriter request = Begin(AgentMessage.Pages);
        request.Bytes(volumeId);
        request.Bytes(fileId);
        request.Byte(how);
        if (!request.TryText(ownAgent))
            throw Errno.Failure(Errno.NameTooLong, "asking for the pages of a file");
        int error = PacketSocket.SendWithDescriptor(_descriptor, _buffer.Bytes[..request.Length], descriptor);
        if (error != 0)
            throw Errno.Failure(error == Errno.TryAgain ? Errno.TimedOut : error, "writing to the agent");
        reply = Await(AgentMessage.Pages, _lastRequest, out int failure);
        return failure;
    }

    private PacketWriter Begin(ushort kind) => new(_buffer.Bytes, kind, 0, ++_lastRequest);

    private PacketReader Call(PacketWriter request, out int failure, int descriptor = -1)
    {
        ushort kind = new PacketReader(_buffer.Bytes[..request.Length]).Kind;
        if (descriptor >= 0)
            ClientSocket.SendWithDescriptor(_descriptor, _buffer.Bytes[..request.Length], descriptor);
        else
            ClientSocket.Send(_descriptor, _buffer.Bytes[..request.Length]);
        return Await(kind, _lastRequest, out failure);
    }

    private PacketReader Await(ushort kind, uint request, out int failure)
    {
        long deadline = Environment.TickCount64 + TimeoutMilliseconds;
        while (true)
        {
            PacketSocket.CloseIfOpen(ref _lent);
            PacketReader reply = Read(ClientSocket.Receive(_descriptor, _buffer.Bytes, deadline, out _lent));
            if (reply.Request != request)
            {
                // Or it is the late answer to a call that gave up waiting.
                TakeIfMore(reply);
                continue;
            }
            Expect(reply.Kind == (kind | AgentMessage.ReplyBit));
            failure = reply.Status;
            return reply;
        }
    }

    private PacketReader Read(int length)
    {
        Expect(length >= AgentMessage.HeaderSize);
        return new PacketReader(_buffer.Bytes[..length]);
    }

    /// <summary>Where the agent could not read them there are none: whoever needs one of them asks for it, and is told.</summary>
    private void TakeIfMore(PacketReader reply)
    {
        if (_more.Count == 0 || reply.Request != _more.Peek().Request || reply.Kind != (AgentMessage.MoreKeys | AgentMessage.ReplyBit))
            return;
        KeyTaker take = _more.Dequeue().Take;
        try
        {
            int count = reply.Status == 0 ? reply.UInt16() : 0;
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> id = reply.Bytes(AgentMessage.FileIdSize), key = reply.Bytes(AgentMessage.KeySize);
                Expect(!key.IsEmpty);
                take(id, key);
            }
            Expect(reply.IsComplete);
        }
        finally
        {
            Secret.Wipe(_buffer.Bytes);
        }
    }

    private GrantedKey TakeKey(ref PacketReader reply)
    {
        int derivedSize = _version >= AgentMessage.VersionWithDerived ? DataKey.DerivedSize : 0;
        ReadOnlySpan<byte> fileId = reply.Bytes(AgentMessage.FileIdSize);
        ReadOnlySpan<byte> key = reply.Bytes(AgentMessage.KeySize);
        ReadOnlySpan<byte> derived = reply.Bytes(derivedSize);
        Expect(!key.IsEmpty && derived.Length == derivedSize);
        return new GrantedKey(fileId, key, derived);
    }

    private static void CheckIds(ReadOnlySpan<byte> volumeId, ReadOnlySpan<byte> fileId)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(volumeId.Length, AgentMessage.VolumeIdSize);
        ArgumentOutOfRangeException.ThrowIfNotEqual(fileId.Length, AgentMessage.FileIdSize);
    }

    private static void Expect(bool sound)
    {
        if (!sound)
            throw Errno.Failure(Errno.Protocol, "the agent's answer makes no sense");
    }
}
