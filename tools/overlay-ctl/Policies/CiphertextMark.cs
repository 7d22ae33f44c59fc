using System.IO;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Policies;

/// <summary>
/// .overlay/ciphertext: says to programs that they have to ask whether they see ciphertext, before they look at sizes. Only a hint: the agent decides, and
/// where the file is missing gives no keys to such programs.
/// </summary>
internal static class CiphertextMark
{
    internal static string PathOf(string root) => Path.Combine(root, VolumePaths.DirectoryName, "ciphertext");

    internal static void Make(string path)
    {
        int descriptor = FileCalls.Open(path, FileCalls.ReadWrite | FileCalls.Create | FileCalls.CloseOnExec | FileCalls.NoFollow, 0x180);
        if (descriptor < 0)
            throw Errno.Failure($"making {path}");
        _ = FileCalls.Close(descriptor);
        VolumeFiles.Sync(Path.GetDirectoryName(path)!);
    }
}
