using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>Page files, which one agent of all that serve the volume keeps.</summary>
internal sealed partial class Volume
{
    private const int LongestWait = 100, WaitMilliseconds = 20;

    /// <summary>The agent that keeps the volume's pages, where that is not ours.</summary>
    private AgentLink? _keeper;

    /// <summary>A page file's descriptor, hidden from the program; or a negative errno, see <see cref="AgentClient.OpenPages"/>.</summary>
    internal int OpenPages(byte[] fileId, PageUse use, int backing) => AskKeeper(
        (AgentClient client, string own, out string elsewhere) => client.OpenPages(Id, fileId, use, backing, own, out elsewhere));

    /// <summary>The same for viewing, with a page file that the keeper takes over if its own was lost with another keeper.</summary>
    internal int OfferPages(byte[] fileId, int pages, int backing) => AskKeeper(
        (AgentClient client, string own, out string elsewhere) => client.OfferPages(Id, fileId, pages, backing, own, out elsewhere));

    private delegate int PagesQuestion(AgentClient client, string ownAgent, out string elsewhere);

    private int AskKeeper(PagesQuestion question)
    {
        for (int attempt = 0; ; attempt++)
        {
            string elsewhere = "";
            int fd;
            try
            {
                fd = _agent.Ask(Id, Root, client => question(client, "", out elsewhere));
            }
            catch (ErrnoException exception) when (exception.Errno == Errno.ENOTCONN && (elsewhere = KeeperAddress.Find(Root)).Length > 0)
            {
                fd = -Errno.EREMOTE; // ours is gone, but another one may have been started
            }
            if (fd == -Errno.EREMOTE && TryKeeper(question, elsewhere, out int answer))
                fd = answer;
            else if (fd == -Errno.EREMOTE && _agent.IsAlive && attempt < LongestWait)
                fd = -Errno.EAGAIN; // it has just ended; ours, or another, will follow it
            else if (fd == -Errno.EREMOTE)
                throw new ErrnoException(Errno.ENOTCONN, "the agent that keeps the pages cannot be reached");
            if (fd == -Errno.EKEYREJECTED)
                return -Errno.EACCES;
            if (fd != -Errno.EAGAIN || attempt >= LongestWait)
                return fd < 0 ? fd : Descriptors.MoveAway(fd);
            Thread.Sleep(WaitMilliseconds);
        }
    }

    /// <summary>At its address in the volume, which other containers have as well, or, for other users, at the one that it tells.</summary>
    private bool TryKeeper(PagesQuestion question, string elsewhere, out int answer)
    {
        string inVolume = KeeperAddress.InVolume(Root);
        // Where the last one was found comes first: no connection is made in vain each time.
        string[] addresses = _keeper?.Address == elsewhere ? [elsewhere, inVolume] : [inVolume, elsewhere];
        foreach (string address in addresses)
        {
            if (_keeper?.Address != address)
                _keeper = _agent.At(address);
            try
            {
                answer = _keeper.Ask(Id, Root, client => question(client, _agent.Address ?? AgentAddress.ForVolume(Id), out _));
                if (answer != -Errno.EREMOTE)
                    return true; // in another container the same path is an agent that keeps nothing
            }
            catch (ErrnoException exception) when (exception.Errno == Errno.ENOTCONN)
            {
                continue;
            }
        }
        answer = 0;
        return false;
    }
}
