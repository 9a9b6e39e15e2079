"""Where everything is found."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import path
from django.views.decorators.cache import never_cache

from . import health, task_views, views

admin.site.site_header = admin.site.site_title = "Bank teller: the record"

urlpatterns = [
    path("", views.desk, name="desk"),
    path("accounts/", views.accounts, name="accounts"),
    path("accounts/open/", task_views.open_account, name="open_account"),
    path("accounts/<int:account_id>/", views.account, name="account"),
    path("accounts/<int:account_id>/deposit/", task_views.deposit, name="deposit"),
    path("accounts/<int:account_id>/withdraw/", task_views.withdraw, name="withdraw"),
    path("receipts/<uuid:command_id>/", views.receipt, name="receipt"),
    path("days/", views.days, name="days"),
    path("login/", never_cache(auth.LoginView.as_view(redirect_authenticated_user=True)), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
