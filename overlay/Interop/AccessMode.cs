namespace Overlay.Interop;

/// <summary>
/// What a descriptor was opened for. The fourth mode, O_WRONLY | O_RDWR, is for ioctl alone: it asks for both rights and grants neither (open(2)).
/// </summary>
internal static class AccessMode
{
    internal static bool MayRead(int flags) => (flags & Kernel.O_ACCMODE) is Kernel.O_RDONLY or Kernel.O_RDWR;

    internal static bool MayWrite(int flags) => (flags & Kernel.O_ACCMODE) is Kernel.O_WRONLY or Kernel.O_RDWR;
}
