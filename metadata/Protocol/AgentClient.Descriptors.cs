using System;
using Overlay.Metadata.Interop;

namespace Overlay.Metadata.Protocol;

/// <summary>Descriptors that the agent opens for a process that may not.</summary>
public sealed partial class AgentClient
{
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
    /// A descriptor for reading and writing (close-on-exec, a description of its own) of the file behind one that may write, or for reading behind one that
    /// may read, for a process that may not open it so itself. The caller's to close.
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

    /// <summary>
    /// What the header of a sealed file says its size is, for a process that may ask for its status but not open it. Negative: this agent cannot tell, either.
    /// </summary>
    /// <param name="descriptor">May be one by O_PATH.</param>
    public long SizeOf(ReadOnlySpan<byte> volumeId, int descriptor)
    {
        CheckIds(volumeId, volumeId);
        lock (_oneCallAtATime)
        {
            if (_version < AgentMessage.VersionWithSize)
                return -1;
            PacketWriter request = Begin(AgentMessage.Size);
            request.Bytes(volumeId);
            ClientSocket.SendWithDescriptor(_descriptor, _buffer.Bytes[..request.Length], descriptor);
            PacketReader reply = Await(AgentMessage.Size, _lastRequest, out int failure);
            if (failure != 0)
                return -1;
            long size = (long)reply.UInt64();
            Expect(reply.IsComplete && size >= 0);
            return size;
        }
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
}
