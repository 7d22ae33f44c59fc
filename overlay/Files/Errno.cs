namespace Overlay.Files;

/// <summary>The Linux error numbers that Overlay gives by itself.</summary>
public static class Errno
{
    public const int EPERM = 1, ENOENT = 2, EINTR = 4, EIO = 5, EBADF = 9, EAGAIN = 11, ENOMEM = 12, EACCES = 13, EFAULT = 14, EBUSY = 16,
        EEXIST = 17, EXDEV = 18, ENODEV = 19, EINVAL = 22, EFBIG = 27, ENOSPC = 28, ESPIPE = 29, EROFS = 30, ENXIO = 6,
        EREMOTE = 66, EILSEQ = 84, EDESTADDRREQ = 89, EPROTONOSUPPORT = 93, EOPNOTSUPP = 95, ENOTCONN = 107, ETIMEDOUT = 110, EDQUOT = 122, ENOKEY = 126, EKEYREJECTED = 129;
}
